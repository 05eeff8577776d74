import { describe, expect, it, vi } from 'vitest'
import { latinDigits } from '../../shared/language/digits'
import { count, makeFormat } from './format'
import { fa } from './fa'
import { en } from './en'

const persian = makeFormat('fa-IR-u-ca-persian-nu-arabext', fa.comma)
const english = makeFormat('en-GB-u-ca-gregory', en.comma)
/** Half past nine in Tehran’s time, on Wednesday 11 Azar 1405. */
const MORNING = '2026-12-02T06:00:00Z'
const isolated = (text: string) => `\u2066${text}\u2069`

it.each([['40', 40], ['۴۰', 40], [' ٤ ', 4], ['0', null], ['-1', null], ['2.5', null], ['', null], ['many', null]])(
  'given «%s» when read as a count then it is %s', (written, number) => {
    expect(count(written)).toBe(number)
  },
)

describe('digits', () => {
  it('given digits of any script when the API is told then they are Latin', () => {
    expect(latinDigits('۰۹۱۳ ٤٥٦ 789')).toBe('0913 456 789')
  })

  it('given digits of any script when shown then they are those of the language', () => {
    expect(persian.digits('Z-1٢۳')).toBe('Z-۱۲۳')
    expect(english.digits('۱٢3')).toBe('123')
  })

  it('given numbers when shown then thousands are grouped as the language does', () => {
    expect(persian.number(1234567)).toBe('۱٬۲۳۴٬۵۶۷')
    expect(english.number(1234567)).toBe('1,234,567')
  })

  it('given shares when shown then they are percentages', () => {
    expect(persian.share(0.5)).toBe('۵۰٪')
    expect(english.share(0.5)).toBe('50%')
  })
})

describe('numbers that people read aloud', () => {
  it.each([
    ['09131234567', '۰۹۱۳ ۱۲۳ ۴۵۶۷'],
    ['03132345678', '۰۳۱ ۳۲۳۴ ۵۶۷۸'],
    ['+442079460000', '+۴۴۲۰۷۹۴۶۰۰۰۰'],
  ])('given the telephone number %s when shown then it is in groups and in its own direction', (number, shown) => {
    expect(persian.phone(number)).toBe(isolated(shown))
  })

  it.each([
    ['1234567', '123 4567'],
    ['12345678', '1234 5678'],
    ['123456789', '123 456 789'],
    ['12345', '12345'],
  ])('given the ticket %s when shown then it is in groups as it is spoken', (ticket, shown) => {
    expect(english.ticket(ticket)).toBe(isolated(shown))
  })
})

describe('days and times', () => {
  it('given a moment when shown then it is of the city’s clock and the language’s calendar', () => {
    expect(persian.time(MORNING)).toBe('۰۹:۳۰')
    expect(persian.date(MORNING)).toBe('چهارشنبه ۱۱ آذر')
    expect(persian.day(MORNING)).toBe('۱۱ آذر')
    expect(persian.longDate(MORNING)).toBe('چهارشنبه ۱۱ آذر ۱۴۰۵')
    expect(persian.weekday(MORNING)).toBe('چهارشنبه')
    expect(english.time(MORNING)).toBe('09:30')
    expect(english.date(MORNING)).toBe('Wednesday 2 December')
    expect(english.longDate(MORNING)).toBe('Wednesday 2 December 2026')
  })

  it('given a moment at night when shown then its day is the city’s, not that of UTC', () => {
    expect(persian.date('2026-12-02T21:00:00Z')).toBe('پنجشنبه ۱۲ آذر')
  })

  it('given a moment of today or of another day when shown then only the other one has its day', () => {
    vi.setSystemTime(MORNING)
    expect(persian.moment('2026-12-02T08:00:00Z')).toBe('۱۱:۳۰')
    expect(persian.moment('2026-12-03T08:00:00Z')).toBe('پنجشنبه ۱۲ آذر، ۱۱:۳۰')
    vi.useRealTimers()
  })

  it.each([
    ['2026-12-01T21:00:00Z', 0, 'امروز', 'today'],
    ['2026-12-01T20:00:00Z', -1, 'دیروز', 'yesterday'],
    ['2026-11-28T23:00:00Z', -3, '۳ روز پیش', '3 days ago'],
    ['2025-12-02T06:00:00Z', -365, '۳۶۵ روز پیش', '365 days ago'],
    ['2026-12-02T21:00:00Z', 1, 'فردا', 'tomorrow'],
  ])('given the moment %s when its age is said then midnights of the city count', (at, days, inPersian, inEnglish) => {
    vi.setSystemTime(MORNING)
    expect(persian.days(at)).toBe(days)
    expect(persian.age(at)).toBe(inPersian)
    expect(english.age(at)).toBe(inEnglish)
    vi.useRealTimers()
  })

  it('given a moment in a list when shown then its age is beside it', () => {
    vi.setSystemTime(MORNING)
    expect(persian.aged('2026-11-29T08:00:00Z')).toBe('یکشنبه ۸ آذر، ۱۱:۳۰، ۳ روز پیش')
    expect(english.aged('2026-12-02T05:00:00Z')).toBe('08:30, today')
    vi.useRealTimers()
  })
})

describe('durations', () => {
  it.each([
    [0, '00:00'],
    [-5_000, '00:00'],
    [59_999, '00:59'],
    [61_000, '01:01'],
    [3_599_000, '59:59'],
    [3_661_000, '01:01:01'],
    [36_000_000, '10:00:00'],
  ])('given %i ms when shown then it is minutes and seconds, and hours from the first on', (length, shown) => {
    expect(english.duration(length)).toBe(shown)
  })

  it('given Persian when shown then its digits are Persian', () => {
    expect(persian.duration(85_000)).toBe('۰۱:۲۵')
  })
})
