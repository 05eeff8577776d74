import { Store } from '../ui/store'
import { isEcho, microphoneOf, momentOf, TONE, type MicrophoneResult, type Moment } from './check-sound'
import { keptDevice } from './devices'
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
const VOLUME = 0.2

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
    if (signal.aborted) return
    const result = on ? await this.measure(signal) : this.withoutPhone()
    // Typescript does not see that it may be aborted meanwhile.
    if ((signal as AbortSignal).aborted) return
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
    const ears = new Ears(this.phone.microphone.status.get().stream, signal)
    const began = performance.now()
    const connection = this.phone.connection()
    const first = await reading(connection)
    const [spoken, before, during]: Moment[][] = [[], [], []]
    let sounded = false
    let taken = false
    for (let at = 0; at < END && !signal.aborted; at = performance.now() - began) {
      taken ||= this.phone.microphone.status.get().loss === 'missing'
      const moment = ears.moment()
      if (at < SPOKEN) spoken.push(moment)
      else if (at < TONE_FROM) before.push(moment)
      else if (at < HEARD && at > TONE_FROM + ON_ITS_WAY) during.push(moment)
      if (at >= TONE_FROM && !sounded) {
        sounded = true
        ears.sound(TONE_UNTIL - TONE_FROM)
      }
      const step = at < SPOKEN ? 'speak' : at < HEARD ? 'listen' : 'network'
      this.status.set({ step, progress: at / END })
      await pause(LOOK, signal)
    }
    ears.close()
    const sample = between(first, this.phone.connection() === connection ? await reading(connection) : null)
    const microphone = taken ? 'missing' : microphoneOf(spoken)
    const deaf = microphone === 'silent' || microphone === 'missing'
    return {
      microphone,
      echo: deaf ? 'unknown' : isEcho(before, during) ? 'echo' : 'good',
      network: sample ? (sample.packets === 0 ? 'bad' : verdictOf(mosOfSample(sample))) : 'unknown',
    }
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

/** A copy of the microphone, which is heard also while the phone’s own is muted, and a loudspeaker. */
class Ears {
  private readonly context = new AudioContext()
  private readonly analyser = new AnalyserNode(this.context, { fftSize: 2_048 })
  private readonly copy: MediaStream
  private readonly samples = new Float32Array(this.analyser.fftSize)

  constructor(stream: MediaStream | null, signal: AbortSignal) {
    this.copy = new MediaStream(stream?.getAudioTracks().map((track) => track.clone()))
    this.copy.getAudioTracks().forEach((track) => (track.enabled = true))
    if (this.copy.getAudioTracks().length) this.context.createMediaStreamSource(this.copy).connect(this.analyser)
    void this.context.resume()
    const speaker = this.context as Partial<{ setSinkId: (id: string) => Promise<void> }>
    // Not every browser lets a page choose; one that was unplugged is refused.
    void speaker.setSinkId?.(keptDevice('audiooutput')).catch(() => undefined)
    signal.addEventListener('abort', () => this.close(), { once: true })
  }

  moment(): Moment {
    this.analyser.getFloatTimeDomainData(this.samples)
    return momentOf(this.samples, this.context.sampleRate)
  }

  /** A soft tone for so many milliseconds. */
  sound(milliseconds: number): void {
    const [begin, long] = [this.context.currentTime, milliseconds / 1000]
    const volume = new GainNode(this.context, { gain: 0 })
    volume.gain.setTargetAtTime(VOLUME, begin, 0.02)
    volume.gain.setTargetAtTime(0, begin + long - 0.1, 0.02)
    const tone = new OscillatorNode(this.context, { frequency: TONE })
    tone.connect(volume).connect(this.context.destination)
    tone.start(begin)
    tone.stop(begin + long)
  }

  close(): void {
    if (this.context.state === 'closed') return
    this.copy.getTracks().forEach((track) => track.stop())
    void this.context.close()
  }
}
