import { useLanguage } from '../language/language'
import { Num } from '../ui/number'
import { useBreakWord } from '../ui/use-desk-words'
import { lasted, sumsOf } from './day-sums'
import type { Span } from './queries'
import style from './control.module.css'

/** How often and how long in all each thing was done. */
export function Sums({ spans, now }: { spans: Span[]; now: number }) {
  const { text, format } = useLanguage()
  const what = useWhat()
  return (
    <dl className={style.sums} aria-label={text.control.daySums} data-testid="day-sums">
      {sumsOf(spans, now).map((sum) => (
        <div key={`${sum.did} ${sum.reason}`} data-did={sum.did}>
          <dt>{what(sum)}</dt>
          <dd><Num>{format.duration(sum.lasted)}</Num> <small>{text.control.dayTimes(format.number(sum.count))}</small></dd>
        </div>
      ))}
    </dl>
  )
}

/** Every stretch in the order of time. */
export function Stretches({ spans, now }: { spans: Span[]; now: number }) {
  const { text, format } = useLanguage()
  const words = text.control
  const what = useWhat()
  return (
    <table className={style.day} data-testid="person-day">
      <thead>
        <tr><th scope="col">{words.dayFrom}</th><th scope="col">{words.dayUntil}</th><th scope="col">{words.dayWhat}</th><th scope="col">{words.dayLong}</th></tr>
      </thead>
      <tbody>
        {spans.map((span) => (
          <tr key={`${span.did} ${span.since}`} data-did={span.did}>
            <td><Num>{format.time(span.since)}</Num></td>
            <td>{span.until ? <Num>{format.time(span.until)}</Num> : words.dayNow}</td>
            <td>{what(span)} {span.ticket && <Num>{format.ticket(span.ticket)}</Num>}</td>
            <td><Num>{format.duration(lasted(span, now))}</Num></td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** What was done, in a word or two; a break by its reason. */
function useWhat() {
  const { text } = useLanguage()
  const breakWord = useBreakWord()
  return ({ did, reason }: Pick<Span, 'did' | 'reason'>) => (reason ? breakWord(reason) : text.control.dayDid[did])
}
