import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { observeServerTime, serverNow } from './clock'

const NOW = Date.parse('2026-11-28T07:30:00Z')
const SECOND = 1_000

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => vi.useRealTimers())

/** The server, whose clock is ahead by so much, answers at once; its answer is on the way for so long. */
function answer(ahead: number, late = 0) {
  const asked = Date.now()
  const date = new Date(Math.floor((asked + ahead) / SECOND) * SECOND).toUTCString()
  vi.advanceTimersByTime(late)
  observeServerTime(new Response(null, { headers: { Date: date } }), asked)
}

const off = () => Math.abs(serverNow() - Date.now())

it('given a right clock when an answer comes late, or of the end of a second, then the time is as it was', () => {
  answer(0)
  expect(off()).toBe(0)
  answer(0, 6 * SECOND)
  vi.advanceTimersByTime(999)
  answer(0)
  expect(off()).toBe(0)
})

it.each([[3_600 * SECOND], [-3_600 * SECOND]])('given a clock that is wrong by %i when answers come then the time is true within two seconds', (ahead) => {
  answer(ahead, 100)
  expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(2 * SECOND + 100)
  answer(ahead, 8 * SECOND)
  expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(2 * SECOND + 100)
  answer(0)
  expect(off()).toBeLessThan(2 * SECOND + 1)
})
