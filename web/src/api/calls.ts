/** Every request the pages make. */
import { body, client } from './client'
import type { components } from './schema.gen'

type Schemas = components['schemas']
export type Me = Schemas['Me']
export type Desk = Schemas['Desk']
export type Round = Schemas['Round']
export type Official = Schemas['Official']
export type RoundIn = Schemas['RoundIn']
export type RoundChange = Schemas['RoundChange']
export type RoundReport = Schemas['RoundReport']
export type Registration = Schemas['Registration']
export type Callback = Schemas['Callback']
export type Stage = Schemas['Stage']
export type Recording = Schemas['Recording']
export type Hearing = Schemas['Hearing']
export type CallbackState = Callback['state']
export type Outcome = NonNullable<Callback['outcome']>

const ofRound = (round_id: number) => ({ params: { path: { round_id } } })
const ofCallback = (callback_id: number) => ({ params: { path: { callback_id } } })

export const signOut = () => body(client.DELETE('/api/v1/session'))

export const getMe = () => body(client.GET('/api/v1/me'))

export const getDeskPhone = () => body(client.GET('/api/v1/desk/phone'))

export const getRounds = () => body(client.GET('/api/v1/rounds'))

/** The next registrant for this desk; null when nobody waits. */
export const claimNext = async (id: number): Promise<Callback | null> =>
  (await body<Callback | undefined>(client.POST('/api/v1/rounds/{round_id}/claims', ofRound(id)))) ?? null

export const getCallback = (id: number) => body(client.GET('/api/v1/callbacks/{callback_id}', ofCallback(id)))

export const placeCall = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/call', ofCallback(id)))

export const hangUp = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/hangup', ofCallback(id)))

/** `again_at`: when a citizen who is to be called again asked to be. */
export const saveOutcome = (id: number, outcome: Outcome, note: string, again_at: string | null = null) =>
  body(client.PUT('/api/v1/callbacks/{callback_id}/outcome', { ...ofCallback(id), body: { outcome, note, again_at } }))

export const getBrowserPhone = () => body(client.GET('/api/v1/browser-phone'))

/** The announced rounds that start after this moment, the past ones too. */
export const getRoundsFrom = (from: string) => body(client.GET('/api/v1/rounds', { params: { query: { from } } }))

export const getRound = (id: number) => body(client.GET('/api/v1/rounds/{round_id}', ofRound(id)))

export const getNotice = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/notice', ofRound(id)))

export const getReport = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/report', ofRound(id)))

export const getStage = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/stage', ofRound(id)))

/** My desk's phone takes part in the conversation of another desk; null: in none any more. */
export const hear = (desk_id: number | null, how: Hearing = 'listen') =>
  body(client.PUT('/api/v1/desk/hears', { body: { desk_id, how } }))

export const getRecordings = (round_id: number) =>
  body(client.GET('/api/v1/recordings', { params: { query: { round_id } } }))

/** Where a player finds a recorded conversation; whoever asks for it is in the audit log. */
export const recordingUrl = (callback_id: number) => `/api/v1/recordings/${callback_id}/audio`

export const getOfficials = () => body(client.GET('/api/v1/officials'))

export const makeRound = (round: RoundIn) => body(client.POST('/api/v1/rounds', { body: round }))

export const changeRound = (id: number, change: RoundChange) =>
  body(client.PATCH('/api/v1/rounds/{round_id}', { ...ofRound(id), body: change }))

export const cancelRound = (id: number, reason: string) =>
  body(client.POST('/api/v1/rounds/{round_id}/cancel', { ...ofRound(id), body: { reason } }))

export const endRound = (id: number, reason: string) =>
  body(client.POST('/api/v1/rounds/{round_id}/end', { ...ofRound(id), body: { reason } }))

export const moveUp = (registration_id: number, reason: string) =>
  body(client.POST('/api/v1/registrations/{registration_id}/move-up', {
    params: { path: { registration_id } }, body: { reason },
  }))

/** My desk serves this round from now on; null: none. */
export const serve = (round_id: number | null) => body(client.PUT('/api/v1/desk/round', { body: { round_id } }))

/** My conversation `after` took place and is over; the next citizen, please. */
export const askNext = (after: number | null) => body(client.POST('/api/v1/desk/next', { body: { after } }))

export const notNow = () => body(client.POST('/api/v1/desk/not-now'))

export const finishing = () => body(client.POST('/api/v1/desk/finishing'))

export const pauseRound = (id: number) => body(client.POST('/api/v1/rounds/{round_id}/pause', ofRound(id)))

export const resumeRound = (id: number) => body(client.POST('/api/v1/rounds/{round_id}/resume', ofRound(id)))

export const screen = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/screen', ofCallback(id)))

export const handOver = (id: number) => body(client.POST('/api/v1/callbacks/{callback_id}/hand-over', ofCallback(id)))
