import type { PastCall, PastRegistration } from '../desk/queries'
import type { Citizen, SentMessage } from './queries'

export type PastRequest = Citizen['requests'][number]

/** Something that was with a citizen, at its moment. */
export type Entry =
  | { kind: 'registration'; at: string; registration: PastRegistration }
  | { kind: 'call'; at: string; call: PastCall; ticket: string }
  | { kind: 'request'; at: string; request: PastRequest }
  | { kind: 'message'; at: string; message: SentMessage }

/** Everything with a citizen, the newest first. */
export function timelineOf({ registrations, requests, messages }: Citizen): Entry[] {
  const entries: Entry[] = [
    ...registrations.flatMap((registration): Entry[] => [
      { kind: 'registration', at: registration.registered_at, registration },
      ...registration.calls.map((call): Entry => ({ kind: 'call', at: call.at, call, ticket: registration.ticket })),
    ]),
    ...requests.map((request): Entry => ({ kind: 'request', at: request.made_at, request })),
    ...messages.map((message): Entry => ({ kind: 'message', at: message.made_at, message })),
  ]
  return entries.sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
}

const OPEN_PLACES: PastRegistration['state'][] = ['unconfirmed', 'waiting', 'calling', 'unreached']
const OPEN_REQUESTS: PastRequest['state'][] = ['new', 'referred', 'accepted', 'asked', 'replied', 'reopened']

/** What is not at its end: of these the citizen will ask. */
export const openOf = ({ registrations, requests }: Citizen) => ({
  registrations: registrations.filter(({ state }) => OPEN_PLACES.includes(state)),
  requests: requests.filter(({ state }) => OPEN_REQUESTS.includes(state)),
})
