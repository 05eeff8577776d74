import { expect, it } from 'vitest'
import { countOf } from './inbox-filter'
import { TILES } from './tiles'

it('given counts by state when a view is shown then it counts what it shows', () => {
  const counts = { states: { new: 3, referred: 5, reopened: 1, replied: 7 }, overdue: 2 }
  expect(countOf('work', counts)).toBe(9)
  expect(countOf('overdue', counts)).toBe(2)
  expect(countOf('replied', counts)).toBe(7)
  expect(countOf('closed', counts)).toBe(0)
  expect(countOf('work', undefined)).toBeNull()
})

it('given the schematic map when drawn then it has each of the 15 districts once, none upon another', () => {
  expect(TILES.map(([district]) => district).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  expect(new Set(TILES.map(([, column, row]) => `${column} ${row}`)).size).toBe(15)
})
