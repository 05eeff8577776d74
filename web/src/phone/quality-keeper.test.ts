import { beforeEach, expect, it, vi } from 'vitest'
import { Problem } from '../api/problem'
import type { Sample } from './quality'
import { QualityKeeper } from './quality-keeper'
import { measuredOf, noSums, withSample, type Measured } from './quality-sums'

const now = (loss: number, rtt: number | null = 20): Sample =>
  ({ heard: { loss, jitter: 4 }, sent: { loss: 1, jitter: 9 }, rtt, packets: 100, silent: false })

let time: number
let kept: Map<string, string>
let send: ReturnType<typeof vi.fn<(callback: number, measured: Measured) => Promise<unknown>>>
let keeper: QualityKeeper

const open = () => new QualityKeeper(send, () => time)
const settled = () => new Promise((resolve) => setTimeout(resolve))
async function hear(callback: number | null, seconds: number) {
  for (let passed = 0; passed < seconds; passed += 2) {
    time += 2_000
    keeper.take({ now: now(0), mos: 4 }, callback)
    await settled()
  }
}
const sent = () => send.mock.calls.map(([callback, { readings }]) => [callback, readings])

beforeEach(() => {
  time = 0
  kept = new Map()
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
  send = vi.fn(() => Promise.resolve())
  keeper = open()
})

it('given readings when summed then there are means and worst ones, of the worse direction', () => {
  const sums = withSample(withSample(noSums(7), now(0), 4.4), now(10, null), 3)
  expect(measuredOf(sums)).toEqual({
    readings: 2, mos: 3.7, mos_worst: 3, loss: 5.5, loss_worst: 10, jitter_ms: 9, jitter_ms_worst: 9, rtt_ms: 20, rtt_ms_worst: 20,
  })
})

it('given no time there and back when summed then it is not known', () => {
  expect(measuredOf(withSample(noSums(7), now(0, null), 4))).toMatchObject({ rtt_ms: null, rtt_ms_worst: null })
})

it('given a conversation when it goes on then it is sent twice a minute, and once more when it is over', async () => {
  await hear(7, 70)
  expect(sent()).toEqual([[7, 1], [7, 16], [7, 31]])
  keeper.tell(null)
  await settled()
  keeper.tell(null)
  await hear(null, 120)
  expect(sent().at(-1)).toEqual([7, 35])
  expect(send).toHaveBeenCalledTimes(4)
})

it('given a page that dies when another one opens then that goes on counting, and sends what was left', async () => {
  await hear(7, 20)
  keeper = open()
  await hear(7, 4)
  keeper = open()
  await hear(null, 2)
  expect(sent().at(-1)).toEqual([7, 12])
})

it('given a network that is gone when the conversation is over then it is sent once it is back', async () => {
  send.mockRejectedValue(new Problem('unreachable', 0))
  await hear(7, 10)
  keeper.tell(null)
  await hear(null, 20)
  expect(send).toHaveBeenCalledTimes(2)
  send.mockResolvedValue(undefined)
  await hear(null, 60)
  expect(sent().at(-1)).toEqual([7, 5])
  expect(send).toHaveBeenCalledTimes(3)
})

it('given a refusal when it is answered then it is not tried again', async () => {
  send.mockRejectedValue(new Problem('forbidden', 403))
  await hear(7, 2)
  await hear(null, 120)
  expect(send).toHaveBeenCalledTimes(1)
})

it('given the next conversation when the one before is not sent yet then both are', async () => {
  await hear(7, 10)
  await hear(8, 32)
  expect(sent()).toEqual([[7, 1], [7, 5], [8, 16]])
})

it('given a browser that keeps nothing, or nonsense, when heard then it is sent all the same', async () => {
  kept.set('hotline137.quality', '{')
  keeper = open()
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => { throw new Error('full') } })
  await hear(7, 2)
  expect(sent()).toEqual([[7, 1]])
})
