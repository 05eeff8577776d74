import '@mantine/charts/styles.css'
import { Button } from '@mantine/core'
import { useDeferredValue, useEffect } from 'react'
import { useSearchParams } from 'wouter'
import type { Me } from '../api/types'
import { inOrder, useReports, type Report, type Span } from './queries'
import { Problem } from '../api/problem'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Notice } from '../ui/notice'
import { Loading } from '../ui/loading'
import { Counts, Outcomes, Pace, Sound, Waits } from './sections'
import { Satisfaction } from './satisfaction'
import { readSpan } from './span'
import { SpanForm } from './span-form'
import style from './reports.module.css'

/** What many rounds came to: charts, and each as a table; to print and to take along. */
export default function ReportsPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const [query, setQuery] = useSearchParams()
  const span = readSpan(query)
  const { data, error, isPlaceholderData } = useReports(span)
  useEffect(() => {
    document.title = `${text.reports.title} · ${text.brandNumber}`
  }, [text])
  const change = (changed: Partial<Span>) => setQuery(new URLSearchParams({ ...span, ...changed }), { replace: true })
  const wrong = !inOrder(span) || (error instanceof Problem && error.code === 'invalid-input')

  return (
    <div className={style.page}>
      <Header me={me} page="reports">{null}</Header>
      <main className={style.reports} aria-busy={isPlaceholderData}>
        <SpanForm span={span} onChange={change} />
        {wrong ? <Notice tone="warning" data-testid="wrong-span">{text.reports.wrongSpan}</Notice> : <ErrorNotice error={error} />}
        {!data && !error && !wrong && <Loading />}
        {data && !error && !wrong && <Shown report={data} onClear={() => setQuery({}, { replace: true })} />}
      </main>
    </div>
  )
}

function Shown({ report, onClear }: { report: Report; onClear: () => void }) {
  const { text, format } = useLanguage()
  const words = text.reports
  // Charts take a tenth of a second: the page and its totals do not wait for them.
  const charts = useDeferredValue(true, false)
  const day = (of: string) => format.longDate(`${of}T08:00:00Z`)
  return (
    <>
      <header className={style.heading}>
        <p className={style.city}>{text.city} · {text.brandNumber}</p>
        <h2>{words.title}: {words.by[report.by]}</h2>
        <p data-testid="span">{words.heading(day(report.start), day(report.until))}</p>
      </header>
      {report.rows.length === 0 ? <Empty data-testid="empty" action={<Button variant="light" onClick={onClear}>{text.filters.clear}</Button>}>{words.empty}</Empty> : (
        <>
          <Totals report={report} />
          {charts && (
            <>
              <Counts report={report} />
              <Waits report={report} />
              <Pace report={report} />
              <Sound report={report} />
              <Outcomes report={report} />
            </>
          )}
        </>
      )}
      {charts && <Satisfaction report={report} />}
    </>
  )
}

function Totals({ report: { total } }: { report: Report }) {
  const { text, format } = useLanguage()
  const words = text.reports
  const some = (value: number | null, shown: (value: number) => string) => (value === null ? '–' : shown(value))
  const figures: [string, string][] = [
    [words.registered, format.number(total.registered)],
    [words.reached, format.number(total.reached)],
    [words.carriedOut, format.number(total.carried_out)],
    [words.perHour, some(total.conversations_per_hour, (value) => format.number(Math.round(value * 10) / 10))],
    [words.idle, some(total.idle_share, format.share)],
  ]
  return (
    <dl className={style.totals} data-testid="totals">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
