import { expect, it, vi } from 'vitest'
import { languages } from '../language/language'
import { countOf } from './inbox-filter'
import { daysLeft } from './names'
import { understood } from './understood'

it('given counts by state when a view is shown then it counts what it shows', () => {
  const counts = { states: { new: 3, referred: 3, accepted: 1, asked: 1, reopened: 1, replied: 7 }, overdue: 2, escalated: 4 }
  expect(countOf('work', counts)).toBe(9)
  expect(countOf('overdue', counts)).toBe(2)
  expect(countOf('escalated', counts)).toBe(4)
  expect(countOf('referred', counts)).toBe(5)
  expect(countOf('replied', counts)).toBe(7)
  expect(countOf('closed', counts)).toBe(0)
  expect(countOf('work', undefined)).toBeNull()
})

it.each([
  ['view=overdue&district=7&category=2&department=3&mine=1&days=90', 'view=overdue&category=2&district=7&department=3&mine=1&days=90'],
  ['mine=1&view=gone&category=4&department=9&district=16&days=-1&after=x', 'mine=1'],
  ['district=7&district=8&category=1e400&category=2&%E0%A4%A=%', 'district=7'],
  ['view=work&days=30', ''],
])('given the kept filter %s when it is read then what is not known any more is left out', (query, left) => {
  expect(understood(query, { categories: [{ id: 2 }], departments: [{ id: 3 }] })).toBe(left)
})

it('given a kept filter when categories and departments are not there yet then they are left in it', () => {
  expect(understood('category=4&department=9', { categories: undefined, departments: undefined })).toBe('category=4&department=9')
})

/** It is the morning of 11 Azar in the city; a due date ends with a midnight. */
it.each([
  ['2026-12-05T20:30:00Z', 'تا ۳ روز دیگر', 'in 3 days'],
  ['2026-12-03T20:30:00Z', 'تا فردا', 'tomorrow'],
  ['2026-12-02T20:30:00Z', 'تا پایان امروز', 'today'],
  ['2026-12-01T20:30:00Z', '۱ روز از آن گذشته', 'by a day'],
  ['2026-11-29T20:30:00Z', '۳ روز از آن گذشته', 'by 3 days'],
])('given a request due by %s when it is shown then the days until then, or since, are said', async (due, inPersian, inEnglish) => {
  vi.setSystemTime('2026-12-02T06:00:00Z')
  expect(daysLeft(await languages.fa(), due)).toBe(inPersian)
  expect(daysLeft(await languages.en(), due)).toBe(inEnglish)
  vi.useRealTimers()
})
