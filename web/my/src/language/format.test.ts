import { afterEach, describe, expect, it, vi } from 'vitest'
import { day, digits, moment, until } from './format'

describe('what is read in Persian', () => {
  it('given a number when it is read then its digits are Persian', () => {
    expect(digits('137-0')).toBe('۱۳۷-۰')
  })

  it('given a moment when it is read then the day is of the city’s calendar and the hour of the city', () => {
    expect(day('2026-11-28T21:00:00Z')).toContain('آذر')
    expect(day('2026-11-28T21:00:00Z')).toContain('۸') // after midnight in the city
    expect(moment('2026-11-28T08:00:00Z')).toContain('۱۱:۳۰')
  })

  it('given a due date that ends with a midnight when it is read then it is the day before', () => {
    expect(until('2026-11-28T20:30:00Z')).toContain('۲۳:۵۹')
    expect(until('2026-11-28T11:00:00Z')).toContain('۱۴:۳۰')
  })
})

describe('what is read in English', () => {
  afterEach(() => {
    vi.doUnmock('./language')
    vi.resetModules()
  })

  it('given a moment when it is read then the day is of the Gregorian calendar and the hour of the city', async () => {
    vi.resetModules()
    vi.doMock('./language', () => ({ language: 'en' }))
    const english = await import('./format')
    expect(english.day('2026-11-28T21:00:00Z')).toBe('Sunday 29 November')
    expect(english.moment('2026-11-28T08:00:00Z')).toBe('Saturday 28 November, 11:30')
  })
})
