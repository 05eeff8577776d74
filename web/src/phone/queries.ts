import { body, client } from '../api/client'
import type { Measured } from './quality-sums'

export const getDeskPhone = () => body(client.GET('/api/v1/desk/phone'))

/** How my conversation sounded so far; what rests on more readings is kept. */
export const keepQuality = (callback_id: number, measured: Measured) =>
  body(client.PUT('/api/v1/callbacks/{callback_id}/quality', { params: { path: { callback_id } }, body: measured }))
