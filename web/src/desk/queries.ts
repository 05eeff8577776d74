/** What a desk asks for: its calls, its citizen’s past and message, its phone. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { insist } from '../api/insist'
import { HISTORY, keys, VOICE } from '../api/keys'
import type { Callback, Outcome } from '../api/types'
import { asking } from '../phone/just-asked'
import { further } from './further'

type Schemas = components['schemas']
export type CalledAgain = Schemas['CalledAgain']
export type CitizensHistory = Schemas['CitizensHistory']
export type PastRegistration = Schemas['PastRegistration']
export type PastCall = Schemas['PastCall']
export type PhoneChoice = Schemas['PhoneChoice']
export type SipAccount = Schemas['SipAccount']

const ofRound = (round_id: number) => ({ params: { path: { round_id } } })
const ofCallback = (callback_id: number) => ({ params: { path: { callback_id } } })

/** The next registrant for this desk; null when nobody waits. */
export const claimNext = async (id: number): Promise<Callback | null> =>
  (await asking(() => body<Callback | undefined>(client.POST('/api/v1/rounds/{round_id}/claims', ofRound(id))))) ?? null

export const getCallback = (id: number) => body(client.GET('/api/v1/callbacks/{callback_id}', ofCallback(id)))

export const placeCall = (id: number) => asking(() => body(client.POST('/api/v1/callbacks/{callback_id}/call', ofCallback(id))))

export const hangUp = (id: number) => insist((signal) => body(client.POST('/api/v1/callbacks/{callback_id}/hangup', { ...ofCallback(id), signal })))

const getTakers = (id: number) => body(client.GET('/api/v1/callbacks/{callback_id}/takers', ofCallback(id)))

const takersKey = (id: number) => [...keys.me, 'takers', id]

/** The desks that can take over my conversation, for the one that is in it; below `me`, for the same events change both. */
export const useTakers = (id: number) => useQuery({ queryKey: takersKey(id), queryFn: () => getTakers(id) })

/** Those that can take it over now, true with every desk's event: asked for only while somebody chooses. */
export function useTakersNow(id: number) {
  const queries = useQueryClient()
  return useQuery({
    queryKey: keys.takers(id),
    queryFn: () => getTakers(id),
    placeholderData: () => queries.getQueryData<Awaited<ReturnType<typeof getTakers>>>(takersKey(id)),
  })
}

/** Another desk's phone comes into my conversation, with the note; with `waits` the citizen hears music meanwhile. */
export const consult = (id: number, desk_id: number, note: string, waits: boolean) =>
  insist((signal) => body(client.POST('/api/v1/callbacks/{callback_id}/consult', { ...ofCallback(id), signal, body: { desk_id, note, waits } })))

/** The conversation is another desk's from now on; the note goes with it. */
export const give = (id: number, desk_id: number, note: string) =>
  insist((signal) => body(client.POST('/api/v1/callbacks/{callback_id}/give', { ...ofCallback(id), signal, body: { desk_id, note } })))

/** The desk to which I gave my citizen does not have them: they are mine again. */
export const takeBack = (id: number) => asking(() => body(client.POST('/api/v1/callbacks/{callback_id}/take-back', ofCallback(id))))

const ON_THE_WAY = 2_000

/** Whom I gave to another desk, as it stands: the events of the other desk are not mine. */
export const useGivenAway = (callback: Callback | null) =>
  useQuery({
    queryKey: [...keys.me, 'given-away', callback?.id],
    queryFn: () => getCallback(callback?.id ?? 0),
    enabled: callback !== null,
    initialData: callback ?? undefined,
    refetchInterval: ON_THE_WAY,
  }).data

/** The end was a mistake; the citizen, still on the line, comes back. */
export const undoEnd = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/undo', ofCallback(id)))

/** Our side cut this conversation: the citizen is called again for my desk, now. */
export const callAgain = (id: number) => asking(() => body(client.POST('/api/v1/callbacks/{callback_id}/call-again', ofCallback(id))))

/** When a citizen who is to be called again asked to be, and whether that was agreed with them. */
export type Wish = Required<Pick<Schemas['DeskOutcome'], 'again_at' | 'agreed'>>

const NO_WISH: Wish = { again_at: null, agreed: false }

/** Supervisors see it at once; the recording is kept for good. */
export const markThreat = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/threat', ofCallback(id)))

/** The citizen hears music until I am back, or have forgotten them for some minutes. */
export const putOnHold = (id: number) => insist((signal) => body(client.PUT('/api/v1/callbacks/{callback_id}/hold', { ...ofCallback(id), signal })))

export const resume = (id: number) => insist((signal) => body(client.DELETE('/api/v1/callbacks/{callback_id}/hold', { ...ofCallback(id), signal })))

export type Guest = Schemas['Guest']

/** Who was called into a conversation, the newest first; below `me`, for the same events change both. */
export const useGuests = (callback_id: number) =>
  useQuery({
    queryKey: [...keys.me, 'guests', callback_id],
    queryFn: () => body(client.GET('/api/v1/callbacks/{callback_id}/guests', ofCallback(callback_id))),
  })

/** A third person is called into my conversation; with `waits` the citizen hears music meanwhile. */
export const askGuest = async (id: number, guest: Schemas['GuestIn'], waits: boolean) => {
  if (waits) await putOnHold(id)
  return body(client.POST('/api/v1/callbacks/{callback_id}/guests', { ...ofCallback(id), body: guest }))
}

export const endGuest = (callback_id: number, guest_id: number) =>
  body(client.DELETE('/api/v1/callbacks/{callback_id}/guests/{guest_id}', { params: { path: { callback_id, guest_id } } }))

export const saveOutcome = (id: number, outcome: Outcome, note: string, wish = NO_WISH) =>
  body(client.PUT('/api/v1/callbacks/{callback_id}/outcome', { ...ofCallback(id), body: { outcome, note, ...wish } }))

/** When the citizen would really be called, by the server's rules: what to know before it is saved. */
export const getCalledAgain = (callback_id: number, query: Wish) =>
  body(client.GET('/api/v1/callbacks/{callback_id}/called-again', { params: { path: { callback_id }, query } }))

/** A line is added to what is written of a conversation. */
export const addNote = (id: number, note: string) =>
  body(client.POST('/api/v1/callbacks/{callback_id}/notes', { ...ofCallback(id), body: { note } }))

/** What the official has promised, until the end of a day: a request with a tracking number. */
export const promise = (id: number, written: string, until: string) =>
  body(client.POST('/api/v1/callbacks/{callback_id}/promises', { ...ofCallback(id), body: { written, until } }))

export const historyKey = (callbackId: number) => [...HISTORY, callbackId]

/** What is known of the citizen in hand; what was read stays on the page when the call is over. */
export const useHistory = (callback: Callback) =>
  useQuery({
    queryKey: historyKey(callback.id),
    queryFn: () =>
      body(client.GET('/api/v1/callbacks/{callback_id}/history', { params: { path: { callback_id: callback.id } } })),
    enabled: callback.state !== 'closed',
    staleTime: Infinity,
  })

/** Where a player finds the message that a citizen left; whoever asks for it is in the audit log. */
export const voiceMessageUrl = (registration_id: number) => `/api/v1/registrations/${registration_id}/voice-message`

const ofRegistration = (registration_id: number) => ({ params: { path: { registration_id } } })

/** How long a message is, and what was written of it. */
export const useVoiceMessage = (id: number, enabled: boolean) =>
  useQuery({ enabled, queryKey: [...VOICE, id], queryFn: () => body(client.GET('/api/v1/registrations/{registration_id}/voice-message/about', ofRegistration(id))) })

/** What it says, for whoever has the citizen after me. */
export const sumUpVoiceMessage = (id: number, written: string) =>
  body(client.PUT('/api/v1/registrations/{registration_id}/voice-message/summary', { ...ofRegistration(id), body: { written } }))

/** Callers who wait on the line come to my desk by themselves, or not; null: as the line says that it serves. */
export const takeLiveCalls = (takes: boolean | null) => body(client.PUT('/api/v1/desk/live-calls', { body: { takes } }))

export type BreakReason = Schemas['BreakReason']

/** My desk takes nobody for a while, and why; null: it does again. */
export const takeBreak = (reason: BreakReason | null) => body(client.PUT('/api/v1/desk/break', { body: { reason } }))

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

export const useCallback137 = (id: number | null, known: Callback | null) =>
  useQuery({
    queryKey: keys.callback(id ?? 0),
    queryFn: () => getCallback(id ?? 0),
    enabled: id !== null,
    initialData: known && known.id === id ? known : undefined,
    structuralSharing: (before, now) => further(before as Callback | undefined, now as Callback),
  })
