import type { Desk } from '../api/types'
import { useLanguage } from '../language/language'
import { RunningTime } from '../ui/number'
import { useNow } from '../ui/use-now'

/** A desk whose conversation is over and that has not asked for the next one: in a few quiet words, and for how long. */
export function WrapUp({ desk }: { desk: Desk }) {
  const { text, format } = useLanguage()
  const now = useNow(desk.wrap_up_since !== null)
  if (desk.wrap_up_since === null) return null
  return (
    <span data-testid="wrap-up">
      {text.wrapUp} <RunningTime>{format.duration(now - Date.parse(desk.wrap_up_since))}</RunningTime>
    </span>
  )
}
