import { useLanguage } from '../language/language'
import { RunningTime } from '../ui/number'
import type { Talk } from './talk'

/** How much of a conversation its citizen waited, beside how long it lasts; nothing where they did not. */
export function OnHold({ talk }: { talk: Talk | null }) {
  const { text, format } = useLanguage()
  if (talk === null || talk.held < 1000) return null
  return <span data-testid="on-hold">{text.onHold} <RunningTime>{format.duration(talk.held)}</RunningTime></span>
}
