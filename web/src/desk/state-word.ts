import type { Callback } from '../api/types'
import type { Text } from '../language/fa'

/** Where a call is, in a word or two. */
export const stateWord = (text: Text, { state, on_hold_at }: Callback) =>
  state === 'held' && on_hold_at ? text.hold.word : text.callback[state]
