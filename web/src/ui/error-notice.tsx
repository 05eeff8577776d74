import { useLanguage } from '../language/language'
import { problemText } from '../language/problem-text'
import { Notice } from './notice'

/** What went wrong, said aloud; nothing while all is well. */
export function ErrorNotice({ error }: { error: unknown }) {
  const { text } = useLanguage()
  return (
    <div role="alert" className="live">
      {error ? <Notice tone="error" data-testid="problem">{problemText(text, error)}</Notice> : null}
    </div>
  )
}
