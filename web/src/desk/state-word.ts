import { serverNow } from '../api/clock'
import type { Callback } from '../api/types'
import type { Text } from '../language/fa'

/** Held for as long as may be, or freed by a supervisor: the citizen hears that they will be called. */
export const letGo = ({ state, held_until }: Callback) => state === 'held' && held_until !== null && Date.parse(held_until) <= serverNow()

/** Where a call is, in a word or two. */
export function stateWord(text: Text, callback: Callback): string {
  if (callback.state === 'ended' && callback.talking_at === null) return text.callback.closed // nobody spoke
  if (callback.state !== 'held') return text.callback[callback.state]
  if (callback.on_hold_at) return text.hold.word
  if (callback.arriving) return text.transfer.arriving
  return letGo(callback) ? text.hold.over : text.callback.held
}
