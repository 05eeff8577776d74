import DateObject from 'react-date-object'
import persian from 'react-date-object/calendars/persian'
import type { By, Span } from '../../api/reports'
import { addDays, cityTime } from '../rounds/city-time'

export const GROUPS: By[] = ['week', 'round', 'official', 'district', 'subject']
export type Quick = 'week' | 'month' | 'year'

const DAY = /^\d{4}-\d\d-\d\d$/

/** 2026-12-02 as a Jalali date, and back. */
const jalali = (day: string) => new DateObject({ date: new Date(`${day}T12:00:00`), calendar: persian })
const iso = (date: DateObject) => {
  const local = date.toDate()
  return [local.getFullYear(), local.getMonth() + 1, local.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}

/** The days of a quick choice: the week from Saturday to Friday, the Jalali month before this one, this Jalali year. */
export function quickSpan(quick: Quick, today = cityTime(Date.now()).day): { from: string; until: string } {
  if (quick === 'week') {
    const from = addDays(today, -((new Date(`${today}T12:00:00Z`).getUTCDay() + 1) % 7))
    return { from, until: addDays(from, 6) }
  }
  if (quick === 'month') {
    const month = jalali(today).toFirstOfMonth().subtract(1, 'month')
    return { from: iso(month), until: iso(new DateObject(month).toLastOfMonth()) }
  }
  return { from: iso(jalali(today).toFirstOfYear()), until: today }
}

/** What the address says is to be reported; this month's Jalali year so far, by week, if it says nothing. */
export function readSpan(query: URLSearchParams): Span {
  const by = GROUPS.find((group) => group === query.get('by')) ?? 'week'
  const [from, until] = [query.get('from') ?? '', query.get('until') ?? '']
  return { by, ...(DAY.test(from) && DAY.test(until) ? { from, until } : quickSpan('year')) }
}
