import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { healing } from './healing'

/** A call whose sound can fail: as much of a connection as is looked at. */
class Sound {
  iceConnectionState = 'connected'
  packets = 0
  way = 'first'
  flows = true

  getStats() {
    if (this.flows) this.packets += 25
    return Promise.resolve(new Map([
      ['in', { type: 'inbound-rtp', packetsReceived: this.packets }],
      ['way', { type: 'transport', selectedCandidatePairId: this.way }],
    ]))
  }
}

let sound: Sound
let restart: ReturnType<typeof vi.fn<() => boolean>>
let giveUp: ReturnType<typeof vi.fn<() => void>>
let stop: () => void

beforeEach(() => {
  vi.useFakeTimers()
  sound = new Sound()
  restart = vi.fn(() => true)
  giveUp = vi.fn()
  stop = healing(sound as unknown as RTCPeerConnection, { restart, giveUp, steady: true })
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

it('given sound that flows when a minute passes then nothing is done', async () => {
  await pass(60_000)
  expect(restart).not.toHaveBeenCalled()
  expect(giveUp).not.toHaveBeenCalled()
})

it('given sound that stays away when a second and a half pass then its way is looked for anew', async () => {
  await pass(10_000)
  sound.flows = false
  await pass(1_000)
  expect(restart).not.toHaveBeenCalled()
  await pass(1_000)
  expect(restart).toHaveBeenCalledOnce()
})

it('given sound that does not come back when four seconds pass then the call is given up, once', async () => {
  await pass(10_000)
  sound.flows = false
  await pass(20_000)
  expect(giveUp).toHaveBeenCalledOnce()
})

it('given a connection that says it is broken when looked at then it is mended at once', async () => {
  await pass(10_000)
  sound.iceConnectionState = 'disconnected'
  await pass(500)
  expect(restart).toHaveBeenCalledOnce()
})

it('given another way that the browser took by itself when looked at then Asterisk is told; in the first seconds it finds out', async () => {
  await pass(1_000)
  sound.way = 'second'
  await pass(9_000)
  expect(restart).not.toHaveBeenCalled()
  sound.way = 'third'
  await pass(500)
  expect(restart).toHaveBeenCalledOnce()
})

it('given a remedy that cannot be asked for yet when the sound is ill then it is tried again until it can', async () => {
  await pass(10_000)
  restart.mockReturnValueOnce(false)
  sound.way = 'second'
  await pass(1_000)
  expect(restart).toHaveBeenCalledTimes(2)
  await pass(3_000)
  expect(restart).toHaveBeenCalledTimes(2)
})

it('given a call that is over when its watching is stopped then nothing is looked at any more', async () => {
  stop()
  sound.flows = false
  await pass(20_000)
  expect(giveUp).not.toHaveBeenCalled()
})

it('given a menu that is silent while it waits for a key when a minute passes then the call goes on', async () => {
  stop()
  stop = healing(sound as unknown as RTCPeerConnection, { restart, giveUp, steady: false })
  await pass(10_000)
  sound.flows = false
  await pass(60_000)
  expect(restart).not.toHaveBeenCalled()
  expect(giveUp).not.toHaveBeenCalled()
  sound.iceConnectionState = 'failed'
  await pass(5_000)
  expect(giveUp).toHaveBeenCalledOnce()
})
