import { BarChart } from '@mantine/charts'
import { useLanguage } from '../language/language'
import { Table } from '../ui/table'
import type { Numbers, Report } from './queries'
import { useLabel } from './use-label'
import style from './reports.module.css'

const CHARTED = 26
const BAR = 16

/** A column of the table; with a colour it is in the chart, too. */
export interface Column {
  name: string
  of: (numbers: Numbers) => number | null
  color?: string
  shown?: (value: number) => string
}

interface Props {
  title: string
  testId: string
  report: Report
  columns: Column[]
  /** What the first column names, and the rows, where they are not those of the report. */
  first?: string
  rows?: { label: string; values: (number | null)[] }[]
  /** Bars lie: there is room for long names. */
  lying?: boolean
}

/** A chart, and under it the same as a table, for who cannot see it, and with what has no room in it. */
export function Section({ title, testId, report, columns, first, rows, lying }: Props) {
  const { text, format } = useLanguage()
  const cell = (value: number | null, { shown: own = format.number }: Column) => (value === null ? '–' : own(value))
  const label = useLabel(report.by)
  const shown = rows ?? report.rows.map((row) => ({ label: label(row), values: columns.map(({ of }) => of(row)) }))
  const charted = shown.slice(-CHARTED)
  return (
    <section className={style.section} data-testid={testId}>
      <h3>{title}</h3>
      <Chart columns={columns} rows={charted} lying={lying ?? (report.by !== 'week' && report.by !== 'round')} />
      <Note more={shown.length > charted.length} />
      <Table
        title={title} columns={[first ?? text.reports.by[report.by], ...columns.map(({ name }) => name)]} withTotal
        rows={[...shown, { label: text.reports.total, values: columns.map(({ of }) => of(report.total)) }].map(({ label: name, values }) => [
          name, ...columns.map((column, place) => cell(values[place] ?? null, column)),
        ])}
      />
    </section>
  )
}

function Note({ more }: { more: boolean }) {
  const { text, format } = useLanguage()
  return more ? <p className={style.note}>{text.reports.lastOnly(format.number(CHARTED))}</p> : null
}

type Rows = NonNullable<Props['rows']>

function Chart({ columns, rows, lying }: { columns: Column[]; rows: Rows; lying: boolean }) {
  const { direction, format } = useLanguage()
  const fromRight = direction === 'rtl'
  const data = rows.map(({ label, values }) => ({ label, ...Object.fromEntries(values.map((value, place) => [String(place), value])) }))
  const series = columns.flatMap(({ name, color }, place) => (color ? [{ name: String(place), label: name, color }] : []))
  // An axis that is turned round turns its groups, but not the bars within one.
  const drawn = fromRight && !lying ? series.toReversed() : series
  const names = { tick: { fontSize: 'var(--text-s)' }, width: lying ? 150 : 50, ...(lying ? { interval: 0 } : {}) }
  return (
    <div className={style.chart} dir="ltr" aria-hidden>
      <BarChart
        h={lying ? 80 + rows.length * (12 + BAR * series.length) : 300} data={data} dataKey="label" series={drawn} orientation={lying ? 'vertical' : 'horizontal'}
        valueFormatter={(value) => format.number(value)} withLegend={series.length > 1} withTooltip={false} gridAxis={lying ? 'y' : 'x'}
        legendProps={{ verticalAlign: 'top', height: 54, itemSorter: ({ dataKey }) => Number(dataKey) }}
        xAxisProps={{ reversed: fromRight }} yAxisProps={{ orientation: fromRight ? 'right' : 'left', ...names }}
        barChartProps={{ accessibilityLayer: false }} barProps={{ isAnimationActive: false, radius: 2 }} maxBarWidth={lying ? BAR : 2 * BAR} classNames={{ legend: style.legend }}
      />
    </div>
  )
}
