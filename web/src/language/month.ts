import DateObject from 'react-date-object'
import type { Code } from '../../shared/language/locale'
import { CALENDARS, dateOf, dayOf, NOON } from './calendar'

/** A month of the language's calendar; the first is 1. */
export interface Month {
  year: number
  month: number
}

const first = ({ year, month }: Month, code: Code) => new DateObject({ ...CALENDARS[code], year, month, day: 1, ...NOON })

/** The month in which this day (2026-12-02) lies. */
export function monthOf(day: string, code: Code): Month {
  const date = dateOf(day, code)
  return { year: date.year, month: date.month.number }
}

/** So many months on. */
export function later(month: Month, months: number, code: Code): Month {
  const date = first(month, code).add(months, 'month')
  return { year: date.year, month: date.month.number }
}

/** The days of a month, in weeks from Saturday to Friday; null before its first and after its last. */
export function weeksOf(month: Month, code: Code): (string | null)[][] {
  const begin = first(month, code)
  const days = Array.from({ length: begin.month.length }, (_, n) => dayOf(new DateObject(begin).add(n, 'day')))
  const before = (begin.toDate().getDay() + 1) % 7
  const cells: (string | null)[] = [...Array<null>(before).fill(null), ...days]
  while (cells.length % 7) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7))
}

/** The first and the last day of a year of the language's calendar. */
export function yearSpan(year: number, code: Code): [string, string] {
  return [dayOf(first({ year, month: 1 }, code)), dayOf(first({ year: year + 1, month: 1 }, code).subtract(1, 'day'))]
}

/** The twelve months by name. */
export const monthNames = (code: Code) => CALENDARS[code].locale.months.map(([name = '']) => name)

/** The number of the day in its month. */
export const dayOfMonth = (day: string, code: Code) => dateOf(day, code).day

/** The first day of a month. */
export const firstDay = (month: Month, code: Code) => dayOf(first(month, code))
