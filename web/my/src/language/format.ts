import { latinDigits } from '../../../shared/language/digits'
import { CITY_ZONE, LOCALES } from '../../../shared/language/locale'
import { language } from './language'

/** A number's digits as they are read in the language. */
export const digits = (value: number | string): string =>
  language === 'en' ? String(value) : String(value).replace(/\d/g, (digit) => '۰۱۲۳۴۵۶۷۸۹'.charAt(Number(digit)))

const part = (at: Date, shown: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(LOCALES[language], { timeZone: CITY_ZONE, ...shown }).format(at)

/** A day, Jalali in Persian and Gregorian in English: «شنبه ۷ آذر», "Saturday 28 November". */
export const day = (iso: string): string => part(new Date(iso), { weekday: 'long', day: 'numeric', month: 'long' })

/** «۱۴:۳۰» in the city. */
export const clock = (at: Date): string => part(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

export const moment = (iso: string): string => `${day(iso)}${language === 'fa' ? '،' : ','} ${clock(new Date(iso))}`

const midnight = (iso: string): boolean => latinDigits(clock(new Date(iso))) === '00:00'

/** A due date that ends with a midnight is of the day before; any other is the minute that everybody else reads. */
export const until = (iso: string): string => moment(midnight(iso) ? new Date(Date.parse(iso) - 1000).toISOString() : iso)
