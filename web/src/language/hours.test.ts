import { expect, it } from 'vitest'
import { en } from './en'
import { fa } from './fa'
import { makeFormat } from './format'
import { clockHoursIn, hoursIn } from './hours'

const persian = hoursIn(fa, makeFormat('fa-IR-u-ca-persian-nu-arabext', fa.comma))
const english = hoursIn(en, makeFormat('en-GB-u-ca-gregory', en.comma))
/** Ten in the evening of Wednesday 11 Azar in Tehran’s time, and so many hours later. */
const after = (hours: number) => {
  const starts = Date.parse('2026-12-02T18:30:00Z')
  return { starts_at: new Date(starts).toISOString(), ends_at: new Date(starts + hours * 3_600_000).toISOString() }
}

it.each([
  [1, '۲۲:۰۰ تا ۲۳:۰۰', '22:00 to 23:00'],
  [2, '۲۲:۰۰ تا ۲۴:۰۰', '22:00 to 24:00'],
  [4, '۲۲:۰۰ تا ۰۲:۰۰ روز بعد', '22:00 to 02:00 the next day'],
  [26, '۲۲:۰۰ تا ۲۴:۰۰ روز بعد', '22:00 to 24:00 the next day'],
  [28, '۲۲:۰۰ تا جمعه ۱۳ آذر، ۰۲:۰۰', '22:00 to Friday 4 December, 02:00'],
])('given a round of %i hours from ten in the evening when shown then it says on which day it ends', (hours, inPersian, inEnglish) => {
  expect(persian(after(hours))).toBe(inPersian)
  expect(english(after(hours))).toBe(inEnglish)
})

it.each([
  ['23:30:00', '۲۲:۰۰ تا ۲۳:۳۰'],
  ['00:00:00', '۲۲:۰۰ تا ۲۴:۰۰'],
  ['01:00:00', '۲۲:۰۰ تا ۰۱:۰۰ روز بعد'],
])('given hours of a rule from ten in the evening until %s when shown then it says when that is the next day', (ends_at, shown) => {
  expect(clockHoursIn(fa, makeFormat('fa-IR-u-ca-persian-nu-arabext', fa.comma))({ starts_at: '22:00:00', ends_at })).toBe(shown)
})
