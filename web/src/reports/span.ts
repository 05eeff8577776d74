import DateObject from 'react-date-object'
import { addDays, cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { dateOf, dayOf } from '../language/calendar'
import type { By, Span } from './queries'

export const GROUPS: By[] = ['week', 'round', 'official', 'district', 'subject']
export type Quick = 'week' | 'month' | 'year'

const DAY = /^\d{4}-\d\d-\d\d$/

/** The days of a quick choice: the week from Saturday to Friday, the Jalali month before this one, this Jalali year. */
export function quickSpan(quick: Quick, today = cityTime(serverNow()).day): { from: string; until: string } {
  if (quick === 'week') {
    const from = addDays(today, -((new Date(`${today}T12:00:00Z`).getUTCDay() + 1) % 7))
    return { from, until: addDays(from, 6) }
  }
  if (quick === 'month') {
    const month = dateOf(today, 'fa').toFirstOfMonth().subtract(1, 'month')
    return { from: dayOf(month), until: dayOf(new DateObject(month).toLastOfMonth()) }
  }
  return { from: dayOf(dateOf(today, 'fa').toFirstOfYear()), until: today }
}

/** What the address says is to be reported; this Jalali year so far, by week, if it says nothing. */
export function readSpan(query: URLSearchParams): Span {
  const by = GROUPS.find((group) => group === query.get('by')) ?? 'week'
  const [from, until] = [query.get('from') ?? '', query.get('until') ?? '']
  return { by, ...(DAY.test(from) && DAY.test(until) ? { from, until } : quickSpan('year')) }
}
