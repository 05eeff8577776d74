import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { makeRefresher } from './refresher'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

it('given a change when nothing is under way then it is refreshed at once', () => {
  const refresh = vi.fn(() => Promise.resolve())
  makeRefresher(refresh, 350)(['line', 7])
  expect(refresh).toHaveBeenCalledExactlyOnceWith(['line', 7])
})

it('given many changes when an answer is under way then each thing is asked for once more, after the pause', async () => {
  const refresh = vi.fn<(what: unknown) => Promise<void>>(() => Promise.resolve())
  const refresher = makeRefresher(refresh, 350)
  for (let time = 0; time < 50; time += 1) refresher(['line', time % 2])
  expect(refresh).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(349)
  expect(refresh).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(refresh.mock.calls.map(([what]) => what)).toEqual([['line', 0], ['line', 1], ['line', 0]])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(refresh).toHaveBeenCalledTimes(3)
})

it('given an answer that fails when something changes then it is asked for all the same', async () => {
  const refresh = vi.fn(() => Promise.reject(new Error('away')))
  const refresher = makeRefresher(refresh, 40)
  refresher('me')
  refresher('me')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(refresh).toHaveBeenCalledTimes(2)
})

it('given fifty changes a second when two hundred pages gather them then each asks once in two seconds, not all at once', async () => {
  const begun = Date.now()
  const asked: number[][] = []
  const pages = Array.from({ length: 200 }, (_, page) => {
    asked[page] = []
    return makeRefresher(() => Promise.resolve(asked[page]?.push(Date.now() - begun)), 2_000, 400)
  })
  for (let time = 0; time < 9_000; time += 20) {
    pages.forEach((page) => page('requests'))
    await vi.advanceTimersByTimeAsync(20)
  }
  for (const times of asked) {
    expect(times.length).toBeLessThanOrEqual(5)
    expect(times[0]).toBeLessThanOrEqual(400)
  }
  expect(new Set(asked.map(([first]) => first)).size).toBeGreaterThan(20)
})
