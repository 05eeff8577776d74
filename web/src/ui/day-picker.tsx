import { TextInput } from '@mantine/core'
import 'react-multi-date-picker/styles/colors/teal.css'
import { cityTime } from '../../shared/language/city-time'
import './day-picker.css'
import DatePicker from 'react-multi-date-picker'
import { useId, useRef } from 'react'
import { serverNow } from '../api/clock'
import { CALENDARS, dateOf, dayOf } from '../language/calendar'
import { useLanguage } from '../language/language'

interface Props {
  label: string
  /** 2026-12-02. */
  day: string
  placeholder?: string
  testId: string
  onChange: (day: string) => void
  error?: string | null
  'data-form'?: string
  'data-field'?: string
}

/** A day of the language's calendar. */
export function DayPicker({ label, day, placeholder, testId, onChange, ...rest }: Props) {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  const { code } = useLanguage()
  const { day: today } = cityTime(serverNow())
  return (
    <DatePicker
      // The library's own today is this machine's, whose zone and clock may be others than the city's.
      currentDate={dateOf(today, code)} highlightToday={false}
      mapDays={({ date }) => (dayOf(date) === today ? { className: 'city-today' } : {})}
      className="teal" {...CALENDARS[code]} weekStartDayIndex={code === 'fa' ? 0 : 6} format={code === 'fa' ? 'dddd D MMMM YYYY' : 'ddd D MMM YYYY'} value={day ? dateOf(day, code) : null}
      onChange={(chosen) => {
        if (!chosen) return
        onChange(dayOf(chosen))
        // After the calendar is closed, which takes the focus from the field, too.
        requestAnimationFrame(() => field.current?.focus())
      }}
      calendarPosition="bottom-right" editable={false} onOpenPickNewDate={false} portal zIndex={400}
      render={(value: string, open: () => void) => (
        <TextInput
          {...rest} ref={field} id={id} label={label} value={value} placeholder={placeholder} readOnly onClick={open} data-testid={testId} pointer
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === ' ') open()
          }}
        />
      )}
    />
  )
}
