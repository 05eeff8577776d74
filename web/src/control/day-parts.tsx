import { Fragment } from 'react'
import { useLanguage } from '../language/language'
import { Num, RunningTime } from '../ui/number'
import { Table } from '../ui/table'
import { useBreakWord } from '../desks/use-desk-words'
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
          <dd><RunningTime>{format.duration(sum.lasted)}</RunningTime> <small>{text.control.dayTimes(format.number(sum.count))}</small></dd>
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
    <Table
      title={words.dayStretches} columns={[words.dayFrom, words.dayUntil, words.dayWhat, words.dayLong]} data-testid="person-day"
      rows={spans.map((span) => [
        <Num key="from">{format.time(span.since)}</Num>,
        span.until ? <Num key="until">{format.time(span.until)}</Num> : words.dayNow,
        <Fragment key="what">{what(span)} {span.ticket && <Num>{format.ticket(span.ticket)}</Num>}</Fragment>,
        <RunningTime key="long">{format.duration(lasted(span, now))}</RunningTime>,
      ])}
    />
  )
}

/** What was done, in a word or two; a break by its reason. */
function useWhat() {
  const { text } = useLanguage()
  const breakWord = useBreakWord()
  return ({ did, reason }: Pick<Span, 'did' | 'reason'>) => (reason ? breakWord(reason) : text.control.dayDid[did])
}
