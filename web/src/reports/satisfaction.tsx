import { Button, Group } from '@mantine/core'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { type Report, satisfactionUrl, useSatisfaction } from './queries'
import { Section } from './section'
import style from './reports.module.css'

/** How satisfied citizens said they are with what became of their requests, of the days of this report. */
export function Satisfaction({ report }: { report: Report }) {
  const { code, name, text } = useLanguage()
  const words = text.reports
  const span = { from: report.start, until: report.until }
  const { data, error } = useSatisfaction(span)
  if (!data) return <ErrorNotice error={error} />
  if (data.categories.length === 0) return null
  const columns = [
    { name: words.rated, of: () => data.total.rated },
    { name: words.meanOf5, of: () => data.total.satisfaction, color: 'var(--chart-1)' },
  ]
  const rows = (means: typeof data.categories) =>
    means.map((mean) => ({ label: name(mean) ?? words.office, values: [mean.rated, mean.satisfaction] }))
  return (
    <div data-testid="satisfaction">
      <Section title={words.satisfaction} testId="satisfaction-category" report={report} first={words.category} columns={columns} rows={rows(data.categories)} lying />
      <Section title={words.satisfaction} testId="satisfaction-department" report={report} first={words.department} columns={columns} rows={rows(data.departments)} lying />
      <p className={style.note}>{words.hidden}</p>
      <Group gap="xs" className={style.take}>
        <Button component="a" variant="default" size="sm" href={satisfactionUrl('csv', span, code)} download data-testid="satisfaction-csv">{words.satisfactionCsv}</Button>
        <Button component="a" variant="default" size="sm" href={satisfactionUrl('xlsx', span, code)} download data-testid="satisfaction-xlsx">{words.satisfactionXlsx}</Button>
      </Group>
    </div>
  )
}
