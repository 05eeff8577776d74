import { latinDigits } from '../../shared/language/digits'
import { CITY_ZONE } from '../../shared/language/locale'
import { serverNow } from '../api/clock'

/** Its days, as 2026-12-02. */
const CIVIL = new Intl.DateTimeFormat('sv-SE', { timeZone: CITY_ZONE })
const DAY = 86_400_000

/** A whole number above zero; null for anything else. */
export function count(written: string): number | null {
  const value = Number(latinDigits(written.trim()))
  return Number.isInteger(value) && value > 0 ? value : null
}

export type Format = ReturnType<typeof makeFormat>

/** How a language writes digits, numbers, telephone numbers, dates and durations. */
export function makeFormat(locale: string, comma: string) {
  const plain = new Intl.NumberFormat(locale, { useGrouping: false })
  const grouped = new Intl.NumberFormat(locale)
  const clock = new Intl.DateTimeFormat(locale, {
    timeZone: CITY_ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  })
  const day = new Intl.DateTimeFormat(locale, {
    timeZone: CITY_ZONE, weekday: 'long', day: 'numeric', month: 'long',
  })
  const weekday = new Intl.DateTimeFormat(locale, { timeZone: CITY_ZONE, weekday: 'long' })
  const short = new Intl.DateTimeFormat(locale, { timeZone: CITY_ZONE, day: 'numeric', month: 'long' })
  const year = new Intl.DateTimeFormat(locale, { timeZone: CITY_ZONE, year: 'numeric' })
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const share = new Intl.NumberFormat(locale, { style: 'percent' })
  const shapes = Array.from({ length: 10 }, (_, digit) => plain.format(digit))

  const digits = (text: string | number) =>
    latinDigits(String(text)).replace(/\d/g, (digit) => shapes[Number(digit)] ?? digit)

  /** Groups of digits in their order, whatever text is about them. */
  const isolated = (groups: string) => `\u2066${digits(groups)}\u2069`

  const time = (iso: string) => clock.format(new Date(iso))
  const date = (iso: string) => day.format(new Date(iso))
  const moment = (iso: string) => (date(iso) === day.format(serverNow()) ? time(iso) : `${date(iso)}${comma}${time(iso)}`)
  const days = (iso: string, from = serverNow()) => (Date.parse(CIVIL.format(new Date(iso))) - Date.parse(CIVIL.format(from))) / DAY
  const age = (iso: string) => ago.format(days(iso), 'day')

  return {
    digits,
    number: (value: number) => grouped.format(value),
    /** 09131234567 as ۰۹۱۳ ۱۲۳ ۴۵۶۷; a land line as ۰۳۱ ۳۲۳۴ ۵۶۷۸. */
    phone: (number: string) =>
      isolated(number.replace(/^(09\d\d)(\d{3})(\d{4})$/, '$1 $2 $3').replace(/^(0\d\d)(\d{4})(\d{4})$/, '$1 $2 $3')),
    /** A ticket or tracking number, in groups as it is spoken. */
    ticket: (ticket: string) =>
      isolated(ticket.replace(/^(\d{3})(\d{4})$|^(\d{4})(\d{4})$|^(\d{3})(\d{3})(\d{3})$/, (...groups) => groups.slice(1, 8).filter(Boolean).join(' '))),
    time,
    date,
    weekday: (iso: string) => weekday.format(new Date(iso)),
    /** Without the weekday. */
    day: (iso: string) => short.format(new Date(iso)),
    /** With the year. */
    longDate: (iso: string) =>
      `${date(iso)} ${year.formatToParts(new Date(iso)).find(({ type }) => type === 'year')?.value ?? ''}`,
    share: (value: number) => share.format(value),
    /** The time alone today, with the day otherwise. */
    moment,
    /** How many of the city's days lie between: below zero for what is over. */
    days,
    /** Today, yesterday, so many days ago. */
    age,
    /** The moment with its age, as lists show it. */
    aged: (iso: string) => `${moment(iso)}${comma}${age(iso)}`,
    duration: (milliseconds: number) => {
      const seconds = Math.max(0, Math.floor(milliseconds / 1000))
      const parts = [Math.floor(seconds / 60) % 60, seconds % 60]
      if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600))
      return digits(parts.map((part) => String(part).padStart(2, '0')).join(':'))
    },
  }
}
