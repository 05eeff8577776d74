import { useLanguage } from '../language/language'
import style from './calls-down.module.css'

/** No citizen can be called now, and nobody loses anything by it. */
export function CallsDown({ since }: { since: string | null }) {
  const { text, format } = useLanguage()
  return (
    <div role="alert">
      {since && (
        <p className={style.banner} data-testid="calls-down">
          <b>{text.callsDown}</b> {text.callsDownSince(format.time(since))}
        </p>
      )}
    </div>
  )
}
