import { Anchor, Paper } from '@mantine/core'
import { Link } from 'wouter'
import type { Round } from '../api/types'
import { cityTime } from '../language/city-time'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { type RoundReport, useReport } from './queries'
import style from '../ui/plans.module.css'

/** What the round came to. */
export function Report({ round: { id, starts_at } }: { round: Round }) {
  const { text } = useLanguage()
  const { day } = cityTime(starts_at)
  const { data, error } = useReport(id)
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="report-title" data-testid="report">
      <h2 id="report-title">{text.report.title}</h2>
      <ErrorNotice error={error} />
      {data && <Numbers report={data} />}
      <Anchor component={Link} href={`/reports?by=round&from=${day}&until=${day}`} className="alone" data-testid="to-reports">{text.reports.all}</Anchor>
    </Paper>
  )
}

function Numbers({ report }: { report: RoundReport }) {
  const { text, format } = useLanguage()
  const words = text.report
  const reasons: Record<string, string> = { ...text.outcome, ...words.reason }
  const missed = Object.entries(report.not_reached)
  const some = (value: number | null, shown: (value: number) => string) => (value === null ? '–' : shown(value))
  const rate = (value: number) => words.perHour(format.number(Math.round(value * 10) / 10))
  const span = (seconds: number) => format.duration(seconds * 1000)
  return (
    <dl className={style.numbers}>
      <Row name={words.registered}>{format.number(report.registered)}</Row>
      <Row name={words.carriedIn}>{format.number(report.carried_in)}</Row>
      <Row name={words.reached}>{format.number(report.reached)}</Row>
      <Row name={words.notReached}>{format.number(missed.reduce((sum, [, count]) => sum + count, 0))}</Row>
      {missed.map(([reason, count]) => (
        <Row key={reason} name={reasons[reason] ?? reason} minor>{format.number(count)}</Row>
      ))}
      <Row name={words.carriedOut}>{format.number(report.carried_out)}</Row>
      <Row name={words.calls}>{format.number(report.calls)} ({some(report.calls_per_hour, rate)})</Row>
      <Row name={words.conversations}>{format.number(report.conversations)} ({some(report.conversations_per_hour, rate)})</Row>
      <Row name={words.median}>{some(report.median_seconds, span)}</Row>
      <Row name={words.p90}>{some(report.p90_seconds, span)}</Row>
      <Row name={words.idle}>{some(report.idle_share, format.share)}</Row>
      <Row name={words.mos}>{some(report.mos, (mos) => words.ofFive(format.number(Math.round(mos * 10) / 10)))}</Row>
      <Row name={words.badShare}>{some(report.bad_share, format.share)}</Row>
    </dl>
  )
}

function Row({ name, minor = false, children }: { name: string; minor?: boolean; children: React.ReactNode }) {
  return (
    <div data-minor={minor}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
