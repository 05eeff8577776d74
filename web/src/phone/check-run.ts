import { Store } from '../ui/store'
import { Ears } from './check-ears'
import { isEcho, microphoneOf, type MicrophoneResult, type Moment } from './check-sound'
import { verdictOf, type Verdict } from './mos'
import { between, mosOfSample, read, type Reading } from './quality'
import type { RoomPhone } from './room-phone'

export type EchoResult = 'good' | 'echo' | 'unknown'
export type NetworkResult = Verdict | 'unknown'

export interface CheckResult {
  microphone: MicrophoneResult
  echo: EchoResult
  network: NetworkResult
}

export interface CheckStatus {
  step: 'idle' | 'connecting' | 'speak' | 'listen' | 'network' | 'done' | 'elsewhere' | 'interrupted'
  /** From 0 to 1. */
  progress: number
  result: CheckResult | null
}

/** Milliseconds from the beginning: until then one speaks, is silent, hears the tone; then the network alone is left. */
const [SPOKEN, TONE_FROM, TONE_UNTIL, HEARD, END] = [4_500, 5_500, 7_000, 7_300, 10_000]
/** From the loudspeaker through the room and the microphone. */
const ON_ITS_WAY = 300
const LOOK = 50
/** A phone that is not in its room by then is not there for the check. */
const CONNECTS = 8_000

const IDLE: CheckStatus = { step: 'idle', progress: 0, result: null }
const REFUSED = ['microphone-denied', 'insecure']

/** The worst of what was found out. */
export function verdictOfCheck({ microphone, echo, network }: CheckResult): Verdict {
  if (['silent', 'refused', 'missing'].includes(microphone) || echo === 'echo' || network === 'bad') return 'bad'
  return microphone !== 'good' || echo !== 'good' || network !== 'good' ? 'fair' : 'good'
}

/** Ten seconds in which a phone is heard, hears itself, and counts its packets. */
export class PhoneCheck {
  readonly status = new Store<CheckStatus>(IDLE)
  private stopping: AbortController | null = null

  constructor(private readonly phone: RoomPhone) {}

  /** Call it from a click: the browser may ask for the microphone. */
  async run(): Promise<void> {
    this.stop()
    const stopping = (this.stopping = new AbortController())
    const { signal } = stopping
    this.status.set({ ...IDLE, step: 'connecting' })
    const on = await this.connect(signal)
    const result = on ? await this.measure(signal) : this.withoutPhone()
    if (signal.aborted) return
    this.status.set(result ? { step: 'done', progress: 1, result } : { ...IDLE, step: 'elsewhere' })
  }

  /** At once: its tone ends, and nothing is heard any more. */
  stop(step: 'idle' | 'interrupted' = 'idle'): void {
    this.stopping?.abort()
    this.stopping = null
    this.status.set({ ...IDLE, step })
  }

  /** Whether the phone is in its room, or at least has its microphone. */
  private async connect(signal: AbortSignal): Promise<boolean> {
    const { status, microphone } = this.phone
    if (status.get().state === 'disconnected') await this.phone.connect()
    const settled = () => ['connected', 'disconnected', 'elsewhere'].includes(status.get().state)
    for (let waited = 0; !settled() && waited < CONNECTS && !signal.aborted; waited += LOOK) await pause(LOOK, signal)
    return microphone.status.get().stream !== null && status.get().state !== 'elsewhere'
  }

  private withoutPhone(): CheckResult | null {
    const { state, problem } = this.phone.status.get()
    if (state === 'elsewhere') return null
    const microphone = problem && REFUSED.includes(problem) ? 'refused' : 'missing'
    return { microphone, echo: 'unknown', network: 'unknown' }
  }

  private async measure(signal: AbortSignal): Promise<CheckResult> {
    const { stream } = this.phone.microphone.status.get()
    const ears = new Ears(stream, signal)
    const heard = new Heard()
    const way = new NetworkCount(this.phone)
    const began = performance.now()
    const stopped = () => signal.aborted
    let sounds = false
    for (let at = 0; at < END && !stopped(); at = performance.now() - began) {
      if (this.phone.microphone.status.get().stream !== stream) {
        ears.close()
        return this.withAnother(signal)
      }
      await way.begin()
      if (stopped()) break
      heard.take(at, ears.moment())
      if (at >= TONE_FROM && !sounds) ears.sound(TONE_UNTIL - TONE_FROM)
      sounds = at >= TONE_FROM
      this.status.set({ step: at < SPOKEN ? 'speak' : at < HEARD ? 'listen' : 'network', progress: at / END })
      await pause(LOOK, signal)
    }
    ears.close()
    return { ...heard.result(), network: await way.result() }
  }

  /** The microphone died, or another one was chosen: that one is heard from the beginning. */
  private async withAnother(signal: AbortSignal): Promise<CheckResult> {
    const { stream, loss } = this.phone.microphone.status.get()
    if (stream && loss !== 'missing') return this.measure(signal)
    return { microphone: 'missing', echo: 'unknown', network: 'unknown' }
  }
}

/** The moments of the check, by what was to be heard in them. */
class Heard {
  private readonly spoken: Moment[] = []
  private readonly before: Moment[] = []
  private readonly during: Moment[] = []

  take(at: number, moment: Moment): void {
    if (at < SPOKEN) this.spoken.push(moment)
    else if (at < TONE_FROM) this.before.push(moment)
    else if (at < HEARD && at > TONE_FROM + ON_ITS_WAY) this.during.push(moment)
  }

  result(): Pick<CheckResult, 'microphone' | 'echo'> {
    const microphone = microphoneOf(this.spoken)
    if (microphone === 'silent') return { microphone, echo: 'unknown' }
    return { microphone, echo: isEcho(this.before, this.during) ? 'echo' : 'good' }
  }
}

/** The packets of the phone's call, from its first reading to the end of the check. */
class NetworkCount {
  private connection: RTCPeerConnection | null = null
  private first: Reading | null = null

  constructor(private readonly phone: RoomPhone) {}

  /** A call that has just begun has nothing to read yet. */
  async begin(): Promise<void> {
    if (this.first) return
    this.connection = this.phone.connection()
    this.first = await reading(this.connection)
  }

  async result(): Promise<NetworkResult> {
    if (this.phone.connection() !== this.connection) return 'unknown'
    const sample = between(this.first, await reading(this.connection))
    if (!sample) return 'unknown'
    return sample.packets === 0 ? 'bad' : verdictOf(mosOfSample(sample))
  }
}

async function reading(connection: RTCPeerConnection | null): Promise<Reading | null> {
  const stats = await connection?.getStats().catch(() => null)
  return stats ? read(stats.values() as Iterable<RTCStats>, performance.now()) : null
}

const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
  })
