import type { Callback, CallbackState } from '../api/types'

const ORDER: CallbackState[] = [
  'claimed', 'dialing', 'ringing', 'answered', 'waiting', 'screening', 'talking', 'held', 'parting', 'ended', 'closed',
]
const BACK: Partial<Record<CallbackState, CallbackState[]>> = {
  screening: ['waiting'], held: ['talking'], parting: ['talking', 'held'],
}

/** What is over stays so, and until the conversation a callback only moves forward: an overtaken answer is dropped. */
export function further(before: Callback | undefined, now: Callback): Callback {
  if (before?.id !== now.id) return now
  const goesBack = BACK[before.state]?.includes(now.state)
  return !goesBack && ORDER.indexOf(now.state) < ORDER.indexOf(before.state) ? before : now
}
