/** The names under which answers of the API are kept. Live events refresh by them, so they are all here. */

/** Which desks could take a conversation over, while somebody chooses; every desk's event may change it. */
export const TAKERS = ['takers']

export const keys = {
  me: ['me'],
  sessionOver: ['session-over'],
  rounds: ['rounds'],
  planned: (from: string) => ['rounds', 'from', from],
  notices: (from: string) => ['rounds', 'notices', from],
  round: (id: number) => ['rounds', id],
  report: (id: number) => ['rounds', id, 'report'],
  line: (roundId: number) => ['line', roundId],
  stages: ['stage'],
  stage: (roundId: number) => ['stage', roundId],
  recordings: (roundId: number) => ['recordings', roundId],
  takers: (callbackId: number) => [...TAKERS, callbackId],
  callback: (id: number) => ['callback', id],
  control: ['control'],
  alarms: ['alarms'],
  urgent: ['urgent'],
  escalations: ['escalations'],
}

export const accountKeys = { step: ['session'], account: ['account'], codes: ['recovery-codes'] }

export const adminKeys = { people: ['people'], desks: ['desks'], blocked: ['blocked'], recordings: ['recordings', 'all'], audit: ['audit'], outbox: ['outbox'], apiKeys: ['keys'], kept: ['kept'], setUp: ['setup'] }

/** Everything below this is asked again when the city's plans change. */
export const planningKey = ['planning']

/** What was with the citizen of a callback; their new requests belong to it. */
export const HISTORY = ['history']

/** What is known of citizens' voice messages, and written of them. */
export const VOICE = ['voice-message']

/** Everything of requests begins so; a live event refreshes all of it that is on the page. */
export const REQUESTS = ['requests']

/** A department's inbox, the same. */
export const INBOX = ['inbox']
