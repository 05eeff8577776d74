import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { Tag } from '../ui/tag'

/** The word that a citizen waits on the line and need not be called; nothing of any other, or once it is over. */
export function OnTheLine({ callback }: { callback: Callback }) {
  const { text } = useLanguage()
  if (!callback.on_the_line || callback.state === 'closed') return null
  return <>{' '}<Tag tone="accent"><span data-testid="on-the-line">{text.live.word}</span></Tag></>
}
