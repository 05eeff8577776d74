import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Hold } from './use-hold'

let done: ReturnType<typeof vi.fn<() => void>>
let hold: Hold

beforeEach(() => {
  vi.useFakeTimers()
  // No page is used in its first moment.
  vi.advanceTimersByTime(60_000)
  done = vi.fn()
  hold = new Hold()
  hold.follow(done)
})
afterEach(() => vi.useRealTimers())

const wait = (milliseconds: number) => vi.advanceTimersByTime(milliseconds)
const press = (milliseconds: number) => {
  hold.down()
  wait(milliseconds)
  hold.up()
}

it('given a key when it is held for a second then it is done once', () => {
  press(1_000)
  wait(10_000)
  expect(done).toHaveBeenCalledOnce()
})

it('given a key when it is let go sooner then it is asked, and forgotten after five seconds', () => {
  press(990)
  expect(hold.status.get().state).toBe('asked')
  wait(5_000)
  expect(hold.status.get().state).toBe('idle')
  press(100)
  expect(done).not.toHaveBeenCalled()
})

it('given who was asked when they say it once more then it is done, but not by a bounce of the key', () => {
  press(100)
  wait(300)
  press(100)
  expect(done).not.toHaveBeenCalled()
  wait(1_000)
  hold.down()
  expect(done).toHaveBeenCalledOnce()
})

it('given a screen reader, which only taps, when it taps twice on purpose then it is done', () => {
  hold.tap()
  hold.tap()
  expect(done).not.toHaveBeenCalled()
  wait(1_000)
  hold.tap()
  expect(done).toHaveBeenCalledOnce()
})

it('given a command that cannot be given when its key is held then nothing is done', () => {
  hold.follow(undefined)
  press(2_000)
  hold.tap()
  expect(hold.status.get().state).toBe('idle')
})
