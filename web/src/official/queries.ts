import { body, client } from '../api/client'
import { insist } from '../api/insist'
import { asking } from '../phone/just-asked'

/** My desk serves this round from now on; null: none. */
export const serve = (round_id: number | null) => body(client.PUT('/api/v1/desk/round', { body: { round_id } }))

/** My conversation `after` is over; the next citizen, please. `confirmed`: said twice, of one that has just begun. */
export const askNext = (after: number | null, confirmed: boolean) =>
  asking(() => insist((signal) => body(client.POST('/api/v1/desk/next', { signal, body: { after, confirmed } }))))

export const notNow = () => insist((signal) => body(client.POST('/api/v1/desk/not-now', { signal })))

export const finishing = () => body(client.POST('/api/v1/desk/finishing'))
