import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { useSecondsLeft } from '../ui/use-seconds-left'

/** How long a citizen whose desk is cut off waits for it. */
export function HeldLeft({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const seconds = useSecondsLeft(callback.state === 'held' && !callback.arriving ? callback.held_until : null)
  return seconds > 0 && <strong role="timer" data-testid="held-left">{(callback.on_hold_at ? text.hold : text.held).left(format.number(seconds))}</strong>
}
