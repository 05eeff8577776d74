import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'
import type { Outcome } from '../api/types'

type Schemas = components['schemas']
export type DeskPlace = Schemas['DeskPlace']
export type DeskPhoneIn = Schemas['DeskPhoneIn']

const ofDesk = (desk_id: number) => ({ params: { path: { desk_id } } })

export const setDeskPhone = (id: number, phone: DeskPhoneIn) =>
  body(client.PATCH('/api/v1/desks/{desk_id}', { ...ofDesk(id), body: phone }))

/** That it was read is in the audit log. */
export const readAccount = (id: number) => body(client.POST('/api/v1/desks/{desk_id}/account', ofDesk(id)))

export const sayOutcome = (id: number, callback_id: number, outcome: Outcome, reason: string) =>
  body(client.POST('/api/v1/desks/{desk_id}/outcome', { ...ofDesk(id), body: { callback_id, outcome, reason } }))

export const useDesks = () => useQuery({ queryKey: adminKeys.desks, queryFn: () => body(client.GET('/api/v1/desks')) })
