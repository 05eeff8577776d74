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
