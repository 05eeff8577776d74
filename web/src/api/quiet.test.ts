import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { queryClient } from './query-client'
import { whenQuiet } from './quiet'

const page = { opening: true, asked: 0 }

beforeEach(() => {
  vi.useFakeTimers()
  Object.assign(page, { opening: true, asked: 0 })
  vi.stubGlobal('document', { querySelector: () => (page.opening ? {} : null) })
  vi.spyOn(queryClient, 'isFetching').mockImplementation(() => page.asked)
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('given a page whose code is on its way, or that asks the server, when time passes, then nothing runs', () => {
  const run = vi.fn()
  whenQuiet(run)
  vi.advanceTimersByTime(60_000)
  Object.assign(page, { opening: false, asked: 1 })
  vi.advanceTimersByTime(60_000)
  expect(run).not.toHaveBeenCalled()
})

test('given a page that asks one thing after the other, when it has all, then it runs once', () => {
  const run = vi.fn()
  whenQuiet(run)
  for (const asked of [0, 1, 0, 2]) {
    Object.assign(page, { opening: false, asked })
    vi.advanceTimersByTime(500)
  }
  expect(run).not.toHaveBeenCalled()
  page.asked = 0
  vi.advanceTimersByTime(60_000)
  expect(run).toHaveBeenCalledTimes(1)
})

test('given a page that is left, when all is quiet, then nothing runs', () => {
  const run = vi.fn()
  const callOff = whenQuiet(run)
  page.opening = false
  callOff()
  vi.advanceTimersByTime(60_000)
  expect(run).not.toHaveBeenCalled()
})
