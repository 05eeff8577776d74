import { expect, test } from 'vitest'
import { found, typedNumber } from './guest-found'

const WATER = { name_fa: 'ادارهٔ آب', name_en: 'Water', active: true, number: '03132212345' }
const PARKS = { name_fa: 'پارک‌ها', name_en: 'Parks', active: true, number: '03132219999' }
const SILENT = { name_fa: 'آب و برق', name_en: 'Power', active: true, number: null }
const GONE = { name_fa: 'آب قدیم', name_en: 'Old water', active: false, number: '03132211111' }
const ALL = [WATER, PARKS, SILENT, GONE]

test('given departments, when nothing is wanted, then those with a telephone are found', () => {
  expect(found(ALL, '')).toEqual([WATER, PARKS])
})

test.each([
  ['آب', WATER], ['water', WATER], ['۲۲۱۲', WATER], ['پارک', PARKS], ['9999', PARKS],
])('given departments, when %s is wanted, then the one is found', (wanted, one) => {
  expect(found(ALL, wanted)).toEqual([one])
})

test.each([
  ['۰۹۱۳ ۱۲۳ ۴۵۶۷', '09131234567'], ['+98 (31) 3221-2345', '+983132212345'], ['٣٢٢١٢٣٤٥', '32212345'], ['آب', null], ['137', null], ['', null],
])('given %s, when typed, then it is the number %s', (typed, number) => {
  expect(typedNumber(typed)).toBe(number)
})
