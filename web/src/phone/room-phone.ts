import { Softphone, type Account, type PhoneProblem } from './softphone'
import { Store } from './store'

export interface RoomStatus {
  state: 'disconnected' | 'connecting' | 'connected'
  problem: PhoneProblem | null
  muted: boolean
  microphone: MediaStream | null
  speaker: MediaStream | null
}

export interface RoomAccount extends Account {
  /** What the desk dials to come into its room. */
  extension: string
}

const WAITS = [0, 1_000, 2_000, 4_000, 8_000]
/** A call that held this long was a good one: the next wait starts from nothing. */
const STEADY = 10_000

const OFF: RoomStatus = { state: 'disconnected', problem: null, muted: false, microphone: null, speaker: null }

/** The desk's phone: dials into the desk's room once and stays; a dropped call is dialled again. */
export class RoomPhone {
  readonly status = new Store<RoomStatus>(OFF)
  private phone: Softphone | null = null
  private extension = ''
  private tries = 0
  private since = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly getAccount: () => Promise<RoomAccount>) {}

  /** Call it from a click: the browser asks for the microphone. */
  async connect(): Promise<void> {
    if (this.status.get().state !== 'disconnected') return
    this.status.set({ ...OFF, state: 'connecting' })
    await this.begin()
  }

  disconnect(problem: PhoneProblem | null = null): void {
    this.drop()
    this.tries = 0
    this.status.set({ ...OFF, problem })
  }

  mute(muted: boolean): void {
    this.phone?.mute(muted)
  }

  press(key: string): void {
    this.phone?.press(key)
  }

  async useChosenDevices(): Promise<void> {
    await this.phone?.useChosenDevices()
  }

  private drop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const phone = this.phone
    this.phone = null
    phone?.stop()
  }

  /** With a fresh account, for the password may have changed since the last time. */
  private async begin(): Promise<void> {
    try {
      const account = await this.getAccount()
      if (this.status.get().state === 'disconnected' || this.phone) return
      const phone = new Softphone(account, { keepMicrophone: true })
      this.phone = phone
      this.extension = account.extension
      phone.status.subscribe(() => this.follow(phone))
      await phone.start()
    } catch {
      if (this.status.get().state === 'disconnected') return
      this.status.set({ problem: 'network' })
      this.later(() => this.begin())
    }
  }

  private follow(phone: Softphone): void {
    if (phone !== this.phone) return
    const { state, problem, muted, microphone, speaker } = phone.status.get()
    if (problem === 'microphone-denied' || problem === 'microphone-missing' || problem === 'insecure') {
      this.disconnect(problem)
      return
    }
    const connected = state === 'talking'
    if (connected && !this.since) this.since = Date.now()
    if (!connected && this.since) {
      if (Date.now() - this.since > STEADY) this.tries = 0
      this.since = 0
    }
    this.status.set({
      state: connected ? 'connected' : 'connecting',
      problem: connected ? null : problem ?? this.status.get().problem,
      muted, microphone, speaker,
    })
    if (state === 'ringing') phone.hangUp()
    if (state === 'registered') this.later(() => phone.call(this.extension))
    if (state === 'disconnected' && problem === 'refused') {
      this.later(() => {
        this.drop()
        return this.begin()
      })
    }
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
