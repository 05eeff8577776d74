import DateObject from 'react-date-object'
import gregorian from 'react-date-object/calendars/gregorian'
import persian from 'react-date-object/calendars/persian'
import gregorianEn from 'react-date-object/locales/gregorian_en'
import persianFa from 'react-date-object/locales/persian_fa'
import type { Code } from '../../shared/language/locale'

/** Each language's calendar and its names. */
export const CALENDARS = {
  fa: { calendar: persian, locale: persianFa },
  en: { calendar: gregorian, locale: gregorianEn },
}

/** Noon, when no zone's change of clocks leads to another day. */
export const NOON = { hour: 12 }

/** A day (2026-12-02) as a date of the language's calendar. */
export function dateOf(day: string, code: Code): DateObject {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const there = new DateObject({ ...CALENDARS.en, year, month, day: date, ...NOON })
  return there.convert(CALENDARS[code].calendar, CALENDARS[code].locale)
}

/** A date of whichever calendar as a day, 2026-12-02. */
export function dayOf(date: DateObject): string {
  const local = date.toDate()
  const parts = [local.getFullYear(), local.getMonth() + 1, local.getDate()]
  return parts.map((part) => String(part).padStart(2, '0')).join('-')
}
