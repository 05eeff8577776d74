/** What a desk asks for beside the calls: its citizen's past and message, its phone, the line row by row. */
import { useQueries, useQuery } from '@tanstack/react-query'
import type { Callback, Registration } from './calls'
import { body, client } from './client'
import { keys } from './queries'
import type { components } from './schema.gen'

type Schemas = components['schemas']
export type CitizensHistory = Schemas['CitizensHistory']
export type PastRegistration = Schemas['PastRegistration']
export type PastCall = Schemas['PastCall']
export type PhoneChoice = Schemas['PhoneChoice']
export type SipAccount = Schemas['SipAccount']
type DeskOutcome = Schemas['DeskOutcome']

/** So many rows are asked for at once. */
const LINE_PAGE = 100

const getLine = (round_id: number, offset: number) =>
  body(client.GET('/api/v1/rounds/{round_id}/registrations', {
    params: { path: { round_id }, query: { offset, limit: LINE_PAGE } },
  }))

/** The rows `first` to `last` of a line and its length: only what is looked at is asked for, again after a change, too. */
export function useLineRows(roundId: number, first: number, last: number) {
  const from = Math.floor(first / LINE_PAGE)
  const pages = Array.from({ length: Math.floor(last / LINE_PAGE) - from + 1 }, (_, at) => from + at)
  const answers = useQueries({
    queries: pages.map((page) => ({
      queryKey: [...keys.line(roundId), page],
      queryFn: () => getLine(roundId, page * LINE_PAGE),
    })),
  })
  const newest = answers.toSorted((a, b) => b.dataUpdatedAt - a.dataUpdatedAt)[0]
  return {
    total: newest?.data?.total,
    error: answers.find(({ error }) => error)?.error ?? null,
    row: (index: number): Registration | undefined =>
      answers[Math.floor(index / LINE_PAGE) - from]?.data?.items[index % LINE_PAGE],
  }
}

/** What is known of the citizen in hand; what was read stays on the page when the call is over. */
export const useHistory = (callback: Callback) =>
  useQuery({
    queryKey: ['history', callback.id],
    queryFn: () =>
      body(client.GET('/api/v1/callbacks/{callback_id}/history', { params: { path: { callback_id: callback.id } } })),
    enabled: callback.state !== 'closed',
    staleTime: Infinity,
  })

/** Where a player finds the message that a citizen left; whoever asks for it is in the audit log. */
export const messageUrl = (registration_id: number) => `/api/v1/registrations/${registration_id}/message`

/** The operator who spoke first ends the call: the official does not get this citizen. */
export const dismiss = (callback_id: number, said: DeskOutcome) =>
  body(client.POST('/api/v1/callbacks/{callback_id}/dismiss', { params: { path: { callback_id } }, body: said }))

const CALLED_AGAIN = 2_000

/** What my desk's phone is; below `me`, for the same events change both. */
export const usePhoneChoice = () =>
  useQuery({
    queryKey: [...keys.me, 'phone'],
    queryFn: () => body(client.GET('/api/v1/desk/phone/choice')),
    refetchInterval: ({ state }) => (state.data?.called ? CALLED_AGAIN : false),
  })

export const choosePhone = (choice: PhoneChoice) => body(client.PUT('/api/v1/desk/phone/choice', { body: choice }))

export const callMyTelephone = () => body(client.POST('/api/v1/desk/phone/call'))

export const showSipAccount = () => body(client.POST('/api/v1/desk/phone/account'))
