import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { insist } from './insist'
import { Problem } from './problem'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

const unreachable = () => new Problem('unreachable', 0)

it('given no answer when asked then it is asked again until one comes', async () => {
  const ask = vi.fn<() => Promise<string>>()
  ask.mockRejectedValueOnce(unreachable()).mockRejectedValueOnce(unreachable()).mockResolvedValueOnce('ended')
  const answer = insist(ask)
  await vi.advanceTimersByTimeAsync(1_300)
  expect(await answer).toBe('ended')
  expect(ask).toHaveBeenCalledTimes(3)
})

it('given nothing answers when asked three times then that is said', async () => {
  const ask = vi.fn(() => Promise.reject(unreachable()))
  const answer = expect(insist(ask)).rejects.toThrow('unreachable')
  await vi.advanceTimersByTimeAsync(1_300)
  await answer
  expect(ask).toHaveBeenCalledTimes(3)
})

it('given a refusal when asked then it is not asked again', async () => {
  const ask = vi.fn(() => Promise.reject(new Problem('wrong-state', 409)))
  await expect(insist(ask)).rejects.toThrow('wrong-state')
  expect(ask).toHaveBeenCalledTimes(1)
})

it('given a connection that swallows what is asked when it is given up then it is asked once more, and no third time', async () => {
  const ask = vi.fn((signal: AbortSignal) => new Promise<string>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))))
  const answer = expect(insist(ask)).rejects.toMatchObject({ code: 'no-answer' })
  await vi.advanceTimersByTimeAsync(12_000)
  await answer
  expect(ask).toHaveBeenCalledTimes(2)
})
