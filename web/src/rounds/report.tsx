import { Anchor, Paper } from '@mantine/core'
import { Link } from 'wouter'
import { cityTime } from '../../shared/language/city-time'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { type RoundReport, useReport } from './queries'
import cards from '../ui/cards.module.css'

/** What the round came to. */
export function Report({ round: { id, starts_at } }: { round: Round }) {
  const { text } = useLanguage()
  const { day } = cityTime(starts_at)
  const { data, error } = useReport(id)
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="report-title" data-testid="report">
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
  const facts: Fact[] = [
    [words.registered, format.number(report.registered)],
    [words.carriedIn, format.number(report.carried_in)],
    [words.reached, format.number(report.reached)],
    [words.notReached, format.number(missed.reduce((sum, [, count]) => sum + count, 0))],
    ...missed.map(([reason, count]): Fact => [reasons[reason] ?? reason, format.number(count), true]),
    [words.carriedOut, format.number(report.carried_out)],
    [words.calls, `${format.number(report.calls)} (${some(report.calls_per_hour, rate)})`],
    [words.conversations, `${format.number(report.conversations)} (${some(report.conversations_per_hour, rate)})`],
    [words.median, some(report.median_seconds, span)],
    [words.p90, some(report.p90_seconds, span)],
    [words.idle, some(report.idle_share, format.share)],
    [words.mos, some(report.mos, (mos) => words.ofFive(format.number(Math.round(mos * 10) / 10)))],
    [words.badShare, some(report.bad_share, format.share)],
  ]
  return <Facts facts={facts} inLines />
}
