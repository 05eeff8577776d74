import { Store } from '../ui/store'
import { Microphone, MicrophoneError } from './microphone'
import { OneWindow } from './one-window'
import type { PhoneProblem } from './phone-problem'
import type { QualityStatus } from './quality-follower'
import { Softphone, type Account } from './softphone'

export interface RoomStatus {
  state: 'disconnected' | 'connecting' | 'connected' | 'elsewhere'
  problem: PhoneProblem | null
  speaker: MediaStream | null
  /** The path of the window that has the phone, if it has said so. */
  where: string | null
}

export interface RoomAccount extends Account {
  /** What the desk dials to come into its room. */
  extension: string
}

const WAITS = [0, 1_000, 2_000, 4_000]
/** A call that held this long was a good one: the next wait starts from nothing. */
const STEADY = 10_000
/** A phone that is not in its room by then begins anew, with another connection. */
const STUCK = 8_000
/** From the answer to the room, by far. */
const IN_ROOM = 1_000
/** A window that is loaded anew has so long to take its phone back. */
const COMES_BACK = 5_000

const OFF: RoomStatus = { state: 'disconnected', problem: null, speaker: null, where: null }

/** The desk's phone: dials into the desk's room once and stays; whatever breaks, it comes back by itself. */
export class RoomPhone {
  readonly status = new Store<RoomStatus>(OFF)
  readonly microphone = new Microphone()
  /** How its call sounds; measured while `quality-watch.ts` looks. */
  readonly quality = new Store<QualityStatus>({ verdict: null, warning: null, now: null, mos: null })
  private phone: Softphone | null = null
  /** The one before, which stays until this one is in the room: the citizen is not alone meanwhile. */
  private before: Softphone | null = null
  /** The last one that was given. */
  private account: RoomAccount | null = null
  private tries = 0
  /** The attempt at a phone that counts; an answer to an earlier one comes too late. */
  private turn = 0
  private since = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private stuck: ReturnType<typeof setTimeout> | undefined
  private readonly window = new OneWindow({
    onWhere: (where) => this.status.set({ where }),
    onTaken: () => this.handOver(),
    onConnected: () => this.status.get().state === 'elsewhere' && this.drop(),
    onFree: (switchedOff) => this.free(switchedOff),
  })

  constructor(private readonly getAccount: () => Promise<RoomAccount>) {}

  /** Call it from a click: the browser asks for the microphone. `here`: although another window has the phone. */
  async connect({ here = false } = {}): Promise<void> {
    if (this.status.get().state !== (here ? 'elsewhere' : 'disconnected')) return
    this.status.set({ ...OFF, state: 'connecting' })
    addEventListener('online', this.hurry)
    if (!(await this.window.take({ byForce: here }))) {
      this.status.set({ ...OFF, state: 'elsewhere' })
      return
    }
    try {
      await this.microphone.open()
    } catch (error) {
      this.disconnect(error instanceof MicrophoneError ? error.problem : 'failed')
      return
    }
    if (this.isOn()) await this.begin()
  }

  disconnect(problem: PhoneProblem | null = null): void {
    this.window.giveUp()
    this.drop()
    this.status.set({ ...OFF, problem })
  }

  /** The window closes. */
  leave(): void {
    removeEventListener('online', this.hurry)
    this.drop()
    this.window.close()
    this.status.set(OFF)
  }

  /** Of the call into the room. */
  connection(): RTCPeerConnection | null {
    return this.phone?.connection() ?? null
  }

  /**
   * Nobody at the server hears of this phone: the machine that it is on may be cut off, and its desk be another's.
   * Where the phone is to be elsewhere by now, it goes there.
   */
  async moveIfElsewhere(): Promise<void> {
    const { turn } = this
    if (this.status.get().state !== 'connected') return
    const account = await this.getAccount().catch(() => null)
    if (account && account.websocket_url !== this.account?.websocket_url && turn === this.turn) this.renew()
  }

  press(key: string): void {
    this.phone?.press(key)
  }

  async useChosenDevices(): Promise<void> {
    this.phone?.chooseLoudspeaker()
    await this.microphone.useChosen()
  }

  private isOn(): boolean {
    return ['connecting', 'connected'].includes(this.status.get().state)
  }

  private drop(): void {
    this.forget()
    this.tries = 0
    this.microphone.close()
  }

  /** No phone, and none on its way. */
  private forget(): void {
    clearTimeout(this.timer)
    clearTimeout(this.stuck)
    this.timer = this.stuck = undefined
    this.turn += 1
    const phones = [this.before, this.phone]
    this.before = this.phone = null
    this.since = 0
    for (const phone of phones) phone?.stop()
  }

  /** With a fresh account, for the password may have changed since the last time. */
  private async begin(): Promise<void> {
    const turn = (this.turn += 1)
    const isMine = () => turn === this.turn && this.isOn()
    this.expect()
    try {
      const account = await this.getAccount()
      if (!isMine()) return
      if (account.websocket_url !== this.account?.websocket_url) this.tries = 0 // sent elsewhere, which is no failure
      const phone = new Softphone(account, { microphone: this.microphone, onLost: () => this.renew() })
      this.phone = phone
      this.account = account
      phone.status.subscribe(() => this.follow(phone))
      await phone.start()
    } catch {
      if (!isMine()) return
      this.status.set({ problem: 'network' })
      this.later(() => this.begin())
    }
  }

  /** Another phone with another connection takes the place of this one. */
  private renew(): void {
    if (!this.isOn()) return
    clearTimeout(this.timer)
    this.timer = undefined
    this.before?.stop()
    this.before = this.phone
    this.phone = null
    this.since = 0
    this.status.set({ state: 'connecting', problem: 'lost' })
    void this.begin()
  }

  private expect(): void {
    clearTimeout(this.stuck)
    this.stuck = setTimeout(() => this.status.get().state === 'connecting' && this.renew(), STUCK)
  }

  private follow(phone: Softphone): void {
    if (phone !== this.phone || !this.isOn()) return
    const { state, problem, speaker } = phone.status.get()
    const connected = state === 'talking'
    if (connected && !this.since) this.arrive()
    const ended = !connected && this.since > 0
    if (ended) {
      if (Date.now() - this.since > STEADY) this.tries = 0
      this.since = 0
      this.expect()
    }
    this.status.set({
      state: connected ? 'connected' : 'connecting',
      problem: connected ? null : problem ?? this.status.get().problem,
      speaker,
    })
    if (state === 'ringing') phone.hangUp()
    if (state === 'registered' && !ended) this.later(() => phone.call(this.account?.extension ?? ''))
    // Whoever was hung up may sit at another desk now, or at none: the account is asked for anew.
    if (ended && state === 'registered' || state === 'disconnected' && problem === 'refused') {
      this.later(() => {
        this.forget()
        return this.begin()
      })
    }
  }

  /** Answered, which is a moment before it is in the room: until then nobody else may leave it. */
  private arrive(): void {
    this.since = Date.now()
    clearTimeout(this.stuck)
    const phone = this.phone
    setTimeout(() => {
      if (phone !== this.phone || !this.since) return
      this.before?.stop()
      this.before = null
      this.window.connected()
    }, IN_ROOM)
  }

  /** Another window has the phone from now on; this one's stays until that one's is in the room. */
  private handOver(): void {
    this.status.set({ ...OFF, state: 'elsewhere' })
    setTimeout(() => this.status.get().state === 'elsewhere' && this.drop(), COMES_BACK)
  }

  private free(switchedOff: boolean): void {
    const here = () => this.status.get().state === 'elsewhere'
    if (!here()) return
    if (switchedOff) this.status.set(OFF)
    else setTimeout(() => {
      if (!here()) return
      this.status.set(OFF)
      void this.connect()
    }, COMES_BACK)
  }

  /** The network is back: no use in waiting. */
  private readonly hurry = () => {
    if (this.status.get().state !== 'connecting') return
    this.tries = 0
    this.renew()
  }

  private later(action: () => Promise<void>): void {
    if (this.timer) return
    const wait = WAITS[Math.min(this.tries++, WAITS.length - 1)]
    this.timer = setTimeout(() => {
      this.timer = undefined
      void action()
    }, wait)
  }
}
