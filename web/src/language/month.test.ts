import { expect, it } from 'vitest'
import { dayOfMonth, firstDay, later, monthNames, monthOf, weeksOf, yearSpan } from './month'

it('given a day when its month is asked then it is of the language’s calendar', () => {
  expect(monthOf('2026-12-02', 'fa')).toEqual({ year: 1405, month: 9 })
  expect(monthOf('2026-12-02', 'en')).toEqual({ year: 2026, month: 12 })
  expect(dayOfMonth('2026-12-02', 'fa')).toBe(11)
  expect(firstDay({ year: 1405, month: 9 }, 'fa')).toBe('2026-11-22')
})

it('given the last month of a year when the next is asked then it is of the next year', () => {
  expect(later({ year: 1405, month: 12 }, 1, 'fa')).toEqual({ year: 1406, month: 1 })
  expect(later({ year: 2026, month: 1 }, -1, 'en')).toEqual({ year: 2025, month: 12 })
})

it('given a month when it is shown then its weeks go from Saturday to Friday and hold just its days', () => {
  const weeks = weeksOf({ year: 1405, month: 9 }, 'fa')
  expect(weeks.every((week) => week.length === 7)).toBe(true)
  // 1 Azar 1405 is a Sunday.
  expect(weeks[0]?.slice(0, 2)).toEqual([null, '2026-11-22'])
  expect(weeks.flat().filter(Boolean)).toHaveLength(30)
})

it.each([
  [1404, ['2025-03-21', '2026-03-20']],
  // A leap year: 30 Esfand 1403.
  [1403, ['2024-03-20', '2025-03-20']],
] as const)('given the Jalali year %i when its days are asked then they go from Nowruz to Nowruz', (year, span) => {
  expect(yearSpan(year, 'fa')).toEqual(span)
})

it('given a language when its months are named then there are twelve', () => {
  expect(monthNames('fa')).toHaveLength(12)
  expect(monthNames('fa')[0]).toBe('فروردین')
  expect(monthNames('en')[0]).toBe('January')
})
