/** The requests and queries of administration. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { body, client } from './client'
import type { Outcome } from './calls'
import type { components, operations } from './schema.gen'

type Schemas = components['schemas']
export type Person = Schemas['Person']
export type PersonIn = Schemas['PersonIn']
export type PersonChange = Schemas['PersonChange']
export type Secret = Schemas['Secret']
export type Role = Schemas['Role']
export type DeskPlace = Schemas['DeskPlace']
export type DeskPhoneIn = Schemas['DeskPhoneIn']
export type BlockedNumber = Schemas['BlockedNumber']
export type BlockIn = Schemas['BlockIn']
export type AnyRecording = Schemas['RecordingOfRound']
export type AuditEntry = Schemas['AuditEntry']
export type AuditFilter = Omit<NonNullable<operations['list_entries_api_v1_audit_get']['parameters']['query']>, 'before' | 'limit'>
export type RecordingFilter = Omit<NonNullable<operations['search_api_v1_recordings_all_get']['parameters']['query']>, 'before' | 'limit'>

/** Who did what was done from the command line. */
export const COMMAND_LINE = 'command line'

export const adminKeys = { people: ['people'], desks: ['desks'], blocked: ['blocked'], recordings: ['recordings', 'all'], audit: ['audit'] }

const ofPerson = (person_id: number) => ({ params: { path: { person_id } } })
const ofDesk = (desk_id: number) => ({ params: { path: { desk_id } } })

export const addPerson = (person: PersonIn) => body(client.POST('/api/v1/people', { body: person }))
export const changePerson = (id: number, change: PersonChange) =>
  body(client.PATCH('/api/v1/people/{person_id}', { ...ofPerson(id), body: change }))
export const disablePerson = (id: number) => body(client.POST('/api/v1/people/{person_id}/disable', ofPerson(id)))
export const enablePerson = (id: number) => body(client.POST('/api/v1/people/{person_id}/enable', ofPerson(id)))
export const newPassword = (id: number) => body(client.POST('/api/v1/people/{person_id}/password', ofPerson(id)))
export const newPin = (id: number) => body(client.POST('/api/v1/people/{person_id}/pin', ofPerson(id)))
export const endSessions = (id: number) => body(client.DELETE('/api/v1/people/{person_id}/sessions', ofPerson(id)))
export const resetSecondFactor = (id: number) => body(client.DELETE('/api/v1/people/{person_id}/second-factor', ofPerson(id)))

export const setDeskPhone = (id: number, phone: DeskPhoneIn) =>
  body(client.PATCH('/api/v1/desks/{desk_id}', { ...ofDesk(id), body: phone }))
/** That it was read is in the audit log. */
export const readAccount = (id: number) => body(client.POST('/api/v1/desks/{desk_id}/account', ofDesk(id)))
export const sayOutcome = (id: number, callback_id: number, outcome: Outcome, reason: string) =>
  body(client.POST('/api/v1/desks/{desk_id}/outcome', { ...ofDesk(id), body: { callback_id, outcome, reason } }))

export const blockNumber = (block: BlockIn) => body(client.POST('/api/v1/blocked', { body: block }))
export const unblockNumber = (number: string) =>
  body(client.DELETE('/api/v1/blocked/{number}', { params: { path: { number } } }))

/** The file goes for good. */
export const deleteRecording = (callback_id: number, reason: string) =>
  body(client.POST('/api/v1/recordings/{callback_id}/delete', { params: { path: { callback_id } }, body: { reason } }))

export const usePeople = (enabled = true) =>
  useQuery({ queryKey: adminKeys.people, queryFn: () => body(client.GET('/api/v1/people')), enabled })

export const useDesks = () => useQuery({ queryKey: adminKeys.desks, queryFn: () => body(client.GET('/api/v1/desks')) })

export const useBlocked = (text: string) =>
  useQuery({
    queryKey: [...adminKeys.blocked, text],
    queryFn: () => body(client.GET('/api/v1/blocked', { params: { query: { text } } })),
    placeholderData: (before) => before,
  })

export const useRetention = () =>
  useQuery({ queryKey: [...adminKeys.recordings, 'retention'], queryFn: () => body(client.GET('/api/v1/recordings/retention')) })

export const useAllRecordings = (filter: RecordingFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.recordings, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/recordings/all', { params: { query: { ...filter, before: pageParam } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })

export const useAudit = (filter: AuditFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.audit, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/audit', { params: { query: { ...filter, before: pageParam } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })

export const useAuditActions = (language: 'fa' | 'en') =>
  useQuery({
    queryKey: [...adminKeys.audit, 'actions', language],
    queryFn: () => body(client.GET('/api/v1/audit/actions', { params: { query: { language } } })),
    staleTime: Infinity,
  })

/** Where the browser fetches the whole of it as a file; that it did is in the audit log. */
export function auditExportUrl(filter: AuditFilter): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return `/api/v1/audit/export?${new URLSearchParams(given).toString()}`
}
