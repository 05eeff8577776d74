import { useLanguage } from '../language/language'
import type { Numbers, Report } from './queries'
import { Section, type Column } from './section'

const missed = ({ not_reached }: Numbers) => Object.values(not_reached).reduce((sum, count) => sum + count, 0)
const tenth = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10)

const [DARK, AMBER, GREY] = ['var(--chart-1)', 'var(--chart-2)', 'var(--chart-3)']

interface Props {
  report: Report
}

export function Counts({ report }: Props) {
  const { text } = useLanguage()
  const words = text.reports
  const columns: Column[] = [
    { name: words.registered, of: (row) => row.registered, color: GREY },
    { name: words.carriedIn, of: (row) => row.carried_in },
    { name: words.reached, of: (row) => row.reached, color: DARK },
    { name: words.notReached, of: missed },
    { name: words.carriedOut, of: (row) => row.carried_out, color: AMBER },
  ]
  return <Section title={words.counts} testId="counts" report={report} columns={columns} />
}

const UNITS = [
  { name: 'minutes', seconds: 60, upTo: 3 * 3_600 },
  { name: 'hours', seconds: 3_600, upTo: 72 * 3_600 },
  { name: 'days', seconds: 86_400, upTo: Infinity },
] as const

export function Waits({ report }: Props) {
  const { text } = useLanguage()
  const words = text.reports
  const longest = Math.max(0, ...report.rows.map((row) => row.p90_seconds ?? 0))
  const unit = UNITS.find(({ upTo }) => longest < upTo) ?? UNITS[2]
  const in_ = (seconds: number | null) => tenth(seconds === null ? null : seconds / unit.seconds)
  const named = (name: string) => words.inUnit(name, words.unit[unit.name])
  const columns: Column[] = [
    { name: named(words.median), of: (row) => in_(row.median_seconds), color: DARK },
    { name: named(words.p90), of: (row) => in_(row.p90_seconds), color: AMBER },
  ]
  return <Section title={words.waits} testId="waits" report={report} columns={columns} />
}

export function Pace({ report }: Props) {
  const { text, format } = useLanguage()
  const words = text.reports
  if (report.by === 'subject') return null
  const columns: Column[] = [
    { name: words.calls, of: (row) => row.calls },
    { name: words.conversations, of: (row) => row.conversations },
    { name: words.perHour, of: (row) => tenth(row.conversations_per_hour), color: DARK },
    { name: words.idle, of: (row) => row.idle_share, shown: format.share },
  ]
  return <Section title={words.pace} testId="pace" report={report} columns={columns} />
}

/** What browsers measured at the desks. */
export function Sound({ report }: Props) {
  const { text, format } = useLanguage()
  const words = text.reports
  if (report.total.mos === null) return null
  const columns: Column[] = [
    { name: words.mos, of: (row) => tenth(row.mos), color: DARK },
    { name: words.badShare, of: (row) => row.bad_share, shown: format.share },
  ]
  return <Section title={words.sound} testId="sound" report={report} columns={columns} />
}

/** Why, for all of the span together. */
export function Outcomes({ report }: Props) {
  const { text, format } = useLanguage()
  const words = text.reports
  const reasons: Record<string, string> = { ...text.outcome, ...text.report.reason }
  const all = missed(report.total)
  if (all === 0) return null
  const rows = Object.entries(report.total.not_reached).map(([reason, count]) => ({ label: reasons[reason] ?? reason, values: [count, count / all] }))
  return (
    <Section
      title={words.outcomes} testId="outcomes" report={report} first={words.reason} lying
      columns={[
        { name: words.people, of: () => all, color: DARK },
        { name: words.share, of: () => 1, shown: format.share },
      ]}
      rows={rows}
    />
  )
}
