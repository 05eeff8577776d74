import { Button } from '@mantine/core'
import { addDays, toIso } from '../../shared/language/city-time'
import { useLanguage } from '../language/language'
import { DayPicker } from './day-picker'

/** Days of the city's calendar, both included; an empty one is no limit. */
export interface Days {
  from: string
  until: string
}

export const ANY_DAYS: Days = { from: '', until: '' }

const begins = (day: string) => (day ? toIso({ day, time: '00:00' }) ?? undefined : undefined)

/** The moments as the API takes them. */
export const momentsOf = ({ from, until }: Days) => ({ from: begins(from), until: begins(until && addDays(until, 1)) })

interface Props {
  days: Days
  onChange: (days: Days) => void
  onClear: () => void
}

/** From which day until which, and a way to forget every filter. */
export function DayRange({ days, onChange, onClear }: Props) {
  const { text } = useLanguage()
  const words = text.filters
  return (
    <>
      <DayPicker label={words.from} day={days.from} placeholder={words.anyDay} testId="from-day" onChange={(from) => onChange({ ...days, from })} />
      <DayPicker label={words.until} day={days.until} placeholder={words.anyDay} testId="until-day" onChange={(until) => onChange({ ...days, until })} />
      <Button variant="subtle" color="gray" c="var(--ink-soft)" onClick={onClear} data-testid="clear-filters">{words.clear}</Button>
    </>
  )
}
