import gregorian from 'react-date-object/calendars/gregorian'
import persian from 'react-date-object/calendars/persian'
import gregorianEn from 'react-date-object/locales/gregorian_en'
import persianFa from 'react-date-object/locales/persian_fa'
import DateObject from 'react-date-object'
import type { Code } from '../../language/language'

/** A month of the language's calendar; the first is 1. */
export interface Month {
  year: number
  month: number
}

const CALENDARS = {
  fa: { calendar: persian, locale: persianFa },
  en: { calendar: gregorian, locale: gregorianEn },
}

const NOON = { hour: 12 }

function fromIso(day: string, code: Code): DateObject {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return new DateObject({ calendar: gregorian, locale: gregorianEn, year, month, day: date, ...NOON }).convert(CALENDARS[code].calendar, CALENDARS[code].locale)
}

function toIso(date: DateObject): string {
  const local = date.toDate()
  const parts = [local.getFullYear(), local.getMonth() + 1, local.getDate()]
  return parts.map((part) => String(part).padStart(2, '0')).join('-')
}

const first = ({ year, month }: Month, code: Code) => new DateObject({ ...CALENDARS[code], year, month, day: 1, ...NOON })

/** The month in which this day (2026-12-02) lies. */
export function monthOf(day: string, code: Code): Month {
  const date = fromIso(day, code)
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
  const days = Array.from({ length: begin.month.length }, (_, n) => toIso(new DateObject(begin).add(n, 'day')))
  const before = (begin.toDate().getDay() + 1) % 7
  const cells: (string | null)[] = [...Array<null>(before).fill(null), ...days]
  while (cells.length % 7) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7))
}

/** The first and the last day of a year of the language's calendar. */
export function yearSpan(year: number, code: Code): [string, string] {
  return [toIso(first({ year, month: 1 }, code)), toIso(first({ year: year + 1, month: 1 }, code).subtract(1, 'day'))]
}

/** The twelve months by name. */
export const monthNames = (code: Code) => CALENDARS[code].locale.months.map(([name = '']) => name)

/** The number of the day in its month. */
export const dayOfMonth = (day: string, code: Code) => fromIso(day, code).day

/** The first day of a month. */
export const firstDay = (month: Month, code: Code) => toIso(first(month, code))
