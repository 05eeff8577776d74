import { useLanguage } from '../language/language'
import style from './notes.module.css'

interface Note {
  by: string
  at: string
  written: string
}

/** What was written of a call: who, when, what; the oldest first. */
export function Notes({ notes, label }: { notes: Note[]; label?: string }) {
  const { text, format } = useLanguage()
  if (notes.length === 0) return null
  return (
    <ol className={style.notes} aria-label={label ?? text.notes} data-testid="notes">
      {notes.map(({ by, at, written }) => (
        <li key={`${at} ${by}`}>
          <span className={style.who}><bdi>{by}</bdi> · <time dateTime={at}>{format.moment(at)}</time></span>
          <p dir="auto">{format.digits(written)}</p>
        </li>
      ))}
    </ol>
  )
}
