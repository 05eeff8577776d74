import { TextInput } from '@mantine/core'
import 'react-multi-date-picker/styles/colors/teal.css'
import persian from 'react-date-object/calendars/persian'
import persianFa from 'react-date-object/locales/persian_fa'
import DatePicker, { type DateObject } from 'react-multi-date-picker'
import { useId } from 'react'
import { useLanguage } from '../../language/language'

interface Props {
  label: string
  /** 2026-12-02. */
  day: string
  placeholder?: string
  testId: string
  onChange: (day: string) => void
}

/** A day of the language's calendar. */
export function DayPicker({ label, day, placeholder, testId, onChange }: Props) {
  const id = useId()
  const { code } = useLanguage()
  const calendar = code === 'fa' ? { calendar: persian, locale: persianFa } : {}
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const choose = (chosen: DateObject | null) => {
    if (!chosen) return
    const local = chosen.toDate()
    const parts = [local.getFullYear(), local.getMonth() + 1, local.getDate()]
    onChange(parts.map((part) => String(part).padStart(2, '0')).join('-'))
  }
  return (
    <DatePicker
      className="teal" {...calendar} weekStartDayIndex={code === 'fa' ? 0 : 6} format="dddd D MMMM YYYY" value={day ? new Date(year, month - 1, date) : null}
      onChange={choose} calendarPosition="bottom-right" editable={false} onOpenPickNewDate={false} portal zIndex={400}
      render={(value: string, open: () => void) => (
        <TextInput
          id={id} label={label} value={value} placeholder={placeholder} readOnly onClick={open} data-testid={testId} pointer
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === ' ') open()
          }}
        />
      )}
    />
  )
}
