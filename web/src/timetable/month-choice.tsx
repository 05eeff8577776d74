import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { latinDigits } from '../../shared/language/digits'
import { useLanguage } from '../language/language'
import { firstDay, later, type Month, monthNames } from '../language/month'
import style from './timetable.module.css'

interface Props {
  month: Month
  today: string
  /** Any day of the month wanted. */
  onChange: (day: string) => void
}

/** The month that is shown: the one before, the next, any other. */
export function MonthChoice({ month, today, onChange }: Props) {
  const { code, text, format } = useLanguage()
  const words = text.timetable
  const [year, setYear] = useState<string | null>(null)
  const go = (wanted: Month) => onChange(firstDay(wanted, code))
  const jump = () => {
    const wanted = Number(latinDigits(year ?? ''))
    // Of both calendars: near enough to today for the API.
    if (/^\d{4}$/.test(latinDigits(year ?? '')) && Math.abs(wanted - month.year) < 100) go({ ...month, year: wanted })
    setYear(null)
  }
  return (
    <div className={style.months}>
      <Button variant="default" onClick={() => go(later(month, -1, code))} data-testid="previous-month">{words.previous}</Button>
      <NativeSelect
        aria-label={words.month} value={month.month} data-testid="month"
        data={monthNames(code).map((label, n) => ({ value: String(n + 1), label }))}
        onChange={(event) => go({ ...month, month: Number(event.currentTarget.value) })}
      />
      <TextInput
        aria-label={words.year} value={year ?? format.digits(month.year)} maxLength={4} inputMode="numeric" className={style.year} data-testid="year"
        onChange={(event) => setYear(event.currentTarget.value)} onBlur={jump}
        onKeyDown={(event) => event.key === 'Enter' && jump()}
      />
      <Button variant="default" onClick={() => go(later(month, 1, code))} data-testid="next-month">{words.next}</Button>
      <Button variant="subtle" onClick={() => onChange(today)} data-testid="this-month">{words.today}</Button>
    </div>
  )
}
