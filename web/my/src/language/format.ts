import { language } from './language'

const city = { timeZone: 'Asia/Tehran' } as const
const locale = () => (language === 'fa' ? 'fa-IR-u-ca-persian' : 'en-GB')

/** A number's digits as they are read in the language. */
export const digits = (value: number | string): string =>
  language === 'en' ? String(value) : String(value).replace(/\d/g, (digit) => '۰۱۲۳۴۵۶۷۸۹'.charAt(Number(digit)))

/** What was typed in any digits, in ours. */
export const latin = (typed: string): string =>
  typed.replace(/[۰-۹٠-٩]/g, (digit) => String(digit.charCodeAt(0) & 0xf))

const part = (at: Date, shown: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale(), { ...city, ...shown }).format(at)

/** A day, Jalali in Persian and Gregorian in English: «شنبه ۷ آذر», "Saturday 28 November". */
export const day = (iso: string): string => part(new Date(iso), { weekday: 'long', day: 'numeric', month: 'long' })

/** «۱۴:۳۰» in the city. */
export const clock = (at: Date): string => part(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

export const moment = (iso: string): string => `${day(iso)}${language === 'fa' ? '،' : ','} ${clock(new Date(iso))}`

const midnight = (iso: string): boolean =>
  new Intl.DateTimeFormat('en-GB', { ...city, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso)) === '00:00'

/** A due date that ends with a midnight is of the day before; any other is the minute that everybody else reads. */
export const until = (iso: string): string => moment(midnight(iso) ? new Date(Date.parse(iso) - 1000).toISOString() : iso)
