import { Button, Group, SegmentedControl } from '@mantine/core'
import { useLanguage } from '../language/language'
import { DayPicker } from '../ui/day-picker'
import { fileUrl, type Span } from './queries'
import { GROUPS, quickSpan, type Quick } from './span'
import style from './reports.module.css'

const QUICK: Quick[] = ['week', 'month', 'year']

/** Which days, put together by what; and what to do with the answer. */
export function SpanForm({ span, onChange }: { span: Span; onChange: (changed: Partial<Span>) => void }) {
  const { code, text } = useLanguage()
  const words = text.reports
  return (
    <section className={style.form}>
      <div className={style.days}>
        <DayPicker label={words.from} day={span.from} testId="from" onChange={(from) => onChange({ from })} />
        <DayPicker label={words.until} day={span.until} testId="until" onChange={(until) => onChange({ until })} />
        <Group gap="xs">
          {QUICK.map((quick) => (
            <Button key={quick} variant="default" size="sm" onClick={() => onChange(quickSpan(quick))} data-testid={`quick-${quick}`}>
              {words.quick[quick]}
            </Button>
          ))}
        </Group>
      </div>
      <div className={style.days}>
        <SegmentedControl
          className={style.groups} aria-label={words.groupBy} value={span.by} data-testid="by"
          onChange={(by) => onChange({ by })} data={GROUPS.map((by) => ({ value: by, label: words.by[by] }))}
        />
        <Group gap="xs" className={style.take}>
          <Button component="a" variant="default" size="sm" href={fileUrl('csv', span, code)} download data-testid="csv">{words.csv}</Button>
          <Button component="a" variant="default" size="sm" href={fileUrl('xlsx', span, code)} download data-testid="xlsx">{words.xlsx}</Button>
          <Button size="sm" onClick={() => print()} data-testid="print">{words.print}</Button>
        </Group>
      </div>
    </section>
  )
}
