/** A citizen, found by one of their registrations or requests; and what somebody looks for. */
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

type Schemas = components['schemas']
export type Citizen = Schemas['Citizen']
export type SentMessage = Schemas['SentMessage']
export type SearchResults = Schemas['SearchResults']
type Of = Schemas['Of']

const at = (of: Of, id_: number) => ({ params: { path: { of, id_ } } })

export const useCitizen = (of: Of, id: number) =>
  useQuery({ queryKey: ['citizens', of, id], queryFn: () => body(client.GET('/api/v1/citizens/{of}/{id_}', at(of, id))) })

/** Places of the person before are given up by it: the dialog says so. */
export const toNewOwner = (of: Of, id: number, reason: string) =>
  body(client.POST('/api/v1/citizens/{of}/{id_}/new-owner', { ...at(of, id), body: { reason, give_up: true } }))

/** For a citizen who asked somebody of the office: the reason is public, and the number is told. */
export const giveUp = (registration_id: number, reason: string) =>
  body(client.POST('/api/v1/registrations/{registration_id}/cancel', { params: { path: { registration_id } }, body: { reason } }))

/** What was found before stays until the next is there. */
export const useSearch = (typed: string) =>
  useQuery({
    queryKey: ['search', typed],
    queryFn: () => body(client.POST('/api/v1/search', { body: { typed } })),
    enabled: typed.length > 1,
    // Whoever waits for an answer is told at once that none comes.
    retry: false,
    networkMode: 'always',
    placeholderData: (before) => (typed.length > 1 ? before : undefined),
  })
