import { describe, expect, it } from 'vitest'
import { room } from './room'

describe('how much room is left in a field', () => {
  it.each([
    ['', ''],
    ['x'.repeat(1349), ''],
    ['x'.repeat(1350), '۱۵۰'],
    ['x'.repeat(1500), '۱۵۰۰'],
    ['x'.repeat(1600), '۱۵۰۰'],
  ])('given what is typed when it comes near the end then it is said', (typed, number) => {
    const said = room(typed, 1500)
    expect(number ? said.includes(number) : said === '').toBe(true)
  })
  it('given a full field when looked then it says that nothing more goes in', () => {
    expect(room('x'.repeat(1500), 1500)).not.toBe(room('x'.repeat(1499), 1500))
  })
})
