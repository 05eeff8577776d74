import { expect, it } from 'vitest'
import { addDays, cityTime, clockOf, toIso } from './city-time'

it.each([
  ['9:30', '09:30'], ['09:30', '09:30'], ['0930', '09:30'], ['۹:۳۰', '09:30'], ['٢٣:٥٩', '23:59'], [' 00:00 ', '00:00'],
  ['24:00', null], ['25:00', null], ['9:60', null], ['9', null], ['', null], ['nine', null],
])('given «%s» when read as a time of day then it is %s', (written, clock) => {
  expect(clockOf(written)).toBe(clock)
})

it('given a moment when shown by the city’s clock then zone and day are its own', () => {
  expect(cityTime('2026-12-02T06:00:00Z')).toEqual({ day: '2026-12-02', time: '09:30' })
  expect(cityTime('2026-12-02T20:30:00Z')).toEqual({ day: '2026-12-03', time: '00:00' })
})

it('given a year with summer time when a moment is read then the hour of that day is right', () => {
  // Iran went to +4:30 in the summer until 2022.
  expect(toIso({ day: '2022-07-01', time: '12:00' })).toBe('2022-07-01T07:30:00.000Z')
  expect(toIso({ day: '2026-07-01', time: '12:00' })).toBe('2026-07-01T08:30:00.000Z')
})

it('given the city’s time when told to the API then it is UTC, and comes back the same', () => {
  expect(toIso({ day: '2026-12-02', time: '۹:۳۰' })).toBe('2026-12-02T06:00:00.000Z')
  expect(toIso({ day: '2026-12-03', time: '00:00' })).toBe('2026-12-02T20:30:00.000Z')
  expect(cityTime(toIso({ day: '2026-12-03', time: '00:00' }) ?? '')).toEqual({ day: '2026-12-03', time: '00:00' })
  expect(toIso({ day: '2026-12-02', time: '25:00' })).toBeNull()
})

it('given a day when days are added then months and years are passed', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28')
})
