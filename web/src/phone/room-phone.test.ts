import { beforeEach, expect, it, vi } from 'vitest'
import { Store } from '../ui/store'
import { RoomPhone, type RoomAccount } from './room-phone'

/** Each signs in and is in its room at once. */
const phones: { account: RoomAccount; stopped: boolean; hungUp: () => void }[] = []

vi.mock('./microphone', () => ({
  MicrophoneError: Error,
  Microphone: class { open = () => Promise.resolve(); close = () => undefined },
}))
vi.mock('./one-window', () => ({
  OneWindow: class { take = () => Promise.resolve(true); connected = () => undefined; giveUp = () => undefined; close = () => undefined },
}))
vi.mock('./softphone', () => ({
  Softphone: class {
    readonly status = new Store({ state: 'disconnected', problem: null, speaker: null })
    readonly seen: { account: RoomAccount; stopped: boolean; hungUp: () => void }
    constructor(account: RoomAccount) {
      this.seen = { account, stopped: false, hungUp: () => this.status.set({ state: 'registered' }) }
      phones.push(this.seen)
    }
    start() {
      this.status.set({ state: 'talking' })
      return Promise.resolve()
    }
    stop() { this.seen.stopped = true }
  },
}))

let node: string
const asked = vi.fn(() => Promise.resolve({ websocket_url: `wss://${node}/ws`, sip_uri: '', username: '', password: '', extension: '1' }))
const where = () => phones.filter(({ stopped }) => !stopped).map(({ account }) => account.websocket_url)

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('addEventListener', () => undefined)
  vi.stubGlobal('removeEventListener', () => undefined)
  phones.length = 0
  asked.mockClear()
  node = 'one'
})

it('given a phone in its room when its node is cut off and another has the desk then it goes there by itself', async () => {
  const phone = new RoomPhone(asked)
  await phone.connect()
  expect(where()).toEqual(['wss://one/ws'])
  await phone.moveIfElsewhere()
  expect(where()).toEqual(['wss://one/ws'])
  expect(phones).toHaveLength(1)

  node = 'two'
  await phone.moveIfElsewhere()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(where()).toEqual(['wss://two/ws'])
  expect(phone.status.get().state).toBe('connected')
  phone.leave()
})

it('given a phone that is off, or an API that does not answer, when asked to go along then nothing happens', async () => {
  const phone = new RoomPhone(asked)
  await phone.moveIfElsewhere()
  expect(asked).not.toHaveBeenCalled()
  await phone.connect()
  asked.mockRejectedValueOnce(new Error('away'))
  await phone.moveIfElsewhere()
  expect(where()).toEqual(['wss://one/ws'])
  phone.leave()
})

it('given a phone that is sent from node to node when it has just come then it waits no longer than the first time', async () => {
  const phone = new RoomPhone(asked)
  await phone.connect()
  for (const next of ['two', 'one', 'two', 'one', 'two']) {
    node = next
    phones.at(-1)?.hungUp()
    await vi.advanceTimersByTimeAsync(100)
    expect(where()).toEqual([`wss://${next}/ws`])
  }
  phone.leave()
})

it('given a phone that is hung up over and over when it is to be where it was then it waits longer and longer', async () => {
  const phone = new RoomPhone(asked)
  await phone.connect()
  phones.at(-1)?.hungUp()
  await vi.advanceTimersByTimeAsync(0)
  for (const wait of [1_000, 2_000, 4_000, 4_000]) {
    const before = phones.length
    phones.at(-1)?.hungUp()
    await vi.advanceTimersByTimeAsync(wait - 100)
    expect(phones).toHaveLength(before)
    await vi.advanceTimersByTimeAsync(200)
    expect(phones).toHaveLength(before + 1)
  }
  phone.leave()
})
