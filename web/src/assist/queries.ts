import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

type Schemas = components['schemas']
type DeskOutcome = Schemas['DeskOutcome']

const ofCallback = (callback_id: number) => ({ params: { path: { callback_id } } })

export const screen = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/screen', ofCallback(id)))

export const handOver = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/hand-over', ofCallback(id)))

/** The operator who spoke first ends the call: the official does not get this citizen. */
export const dismiss = (callback_id: number, said: DeskOutcome) =>
  body(client.POST('/api/v1/callbacks/{callback_id}/dismiss', { params: { path: { callback_id } }, body: said }))
