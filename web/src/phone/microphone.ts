import { Store } from '../ui/store'
import { alarm } from './alarm'
import { chosenIsBack, keptDevice, otherMicrophones } from './devices'

export type MicrophoneProblem = 'microphone-denied' | 'microphone-missing' | 'insecure'

export class MicrophoneError extends Error {
  constructor(readonly problem: MicrophoneProblem) {
    super(problem)
  }
}

export interface MicrophoneStatus {
  stream: MediaStream | null
  muted: boolean
  /** What became of one that died in use: another has its place, or there is none and silence is sent. */
  loss: 'replaced' | 'missing' | null
}

/** A track says that it gives nothing; so long it may, for a headset that changes its profile. */
const MUTED = 500
const LOOK_AGAIN = 3_000

/** A person's microphone as long as the phone needs one: when it dies, another one speaks at once. */
export class Microphone {
  readonly status = new Store<MicrophoneStatus>({ stream: null, muted: false, loss: null })
  private wanted = false
  private silence: AudioContext | null = null
  private timer: ReturnType<typeof setTimeout> | undefined

  /** The browser may ask for leave. Null if it was closed meanwhile; raises MicrophoneError. */
  async open(): Promise<MediaStream | null> {
    const { stream } = this.status.get()
    if (stream) return stream
    this.wanted = true
    const opened = await askFor({ deviceId: keptDevice('audioinput') })
    navigator.mediaDevices.addEventListener('devicechange', this.look)
    return this.take(opened, null)
  }

  close(): void {
    this.wanted = false
    clearTimeout(this.timer)
    // Absent outside https and localhost, whatever the types say.
    ;(navigator.mediaDevices as MediaDevices | undefined)?.removeEventListener('devicechange', this.look)
    const { stream } = this.status.get()
    this.status.set({ stream: null, muted: false, loss: null })
    this.stop(stream)
  }

  mute(muted: boolean): void {
    this.status.get().stream?.getAudioTracks().forEach((track) => (track.enabled = !muted))
    this.status.set({ muted })
  }

  /** The one that was chosen last takes the place of the one in use. */
  async useChosen(): Promise<void> {
    if (!this.status.get().stream) return
    this.take(await askFor({ deviceId: keptDevice('audioinput') }), null)
  }

  /** The person has read what became of it. */
  acknowledge(): void {
    if (this.status.get().loss === 'replaced') this.status.set({ loss: null })
  }

  private take(stream: MediaStream, loss: MicrophoneStatus['loss']): MediaStream | null {
    const { stream: old, muted } = this.status.get()
    if (!this.wanted) {
      this.stop(stream)
      return null
    }
    for (const track of stream.getAudioTracks()) {
      track.enabled = !muted
      track.addEventListener('ended', () => this.died(track))
      track.addEventListener('mute', () => setTimeout(() => track.muted && this.died(track), MUTED))
    }
    this.status.set({ stream, loss })
    this.stop(old)
    return stream
  }

  /** Without any sound Asterisk would take the phone for dead: silence goes out until there is another one. */
  private died(track: MediaStreamTrack): void {
    if (!this.status.get().stream?.getTracks().includes(track)) return
    this.silence = new AudioContext()
    this.take(this.silence.createMediaStreamDestination().stream, 'missing')
    alarm()
    void this.replace(track.getSettings().deviceId)
  }

  private async replace(dead?: string): Promise<void> {
    clearTimeout(this.timer)
    const stream = await openAnother(dead).catch(() => null)
    if (this.status.get().loss !== 'missing') this.stop(stream)
    else if (stream) this.take(stream, 'replaced')
    else this.timer = setTimeout(() => void this.replace(dead), LOOK_AGAIN)
  }

  private readonly look = () => {
    const { loss } = this.status.get()
    if (loss === 'missing') void this.replace()
    if (loss === 'replaced') void chosenIsBack().then((back) => (back ? this.useChosen() : undefined))
  }

  private stop(stream: MediaStream | null): void {
    stream?.getTracks().forEach((track) => track.stop())
    if (this.status.get().loss === 'missing') return
    void this.silence?.close()
    this.silence = null
  }
}

/** `?raw-audio=1` leaves the sound as it is: echo cancellation swallows the tones of tests. */
async function askFor({ deviceId }: { deviceId: ConstrainDOMString }): Promise<MediaStream> {
  const clean = new URLSearchParams(location.search).get('raw-audio') !== '1'
  const sound = { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean }
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new MicrophoneError('insecure')
  try {
    // A mere name is a wish, no condition: with the chosen one unplugged there is still a microphone.
    return await devices.getUserMedia({ audio: { ...sound, ...(deviceId && { deviceId }) }, video: false })
  } catch (error) {
    const missing = error instanceof DOMException && error.name === 'NotFoundError'
    throw new MicrophoneError(missing ? 'microphone-missing' : 'microphone-denied')
  }
}

/** A microphone that speaks: another one than `dead` if possible. */
async function openAnother(dead?: string): Promise<MediaStream | null> {
  for (const exact of await otherMicrophones(dead)) {
    const stream = await askFor({ deviceId: { exact } }).catch(() => null)
    if (stream) return stream
  }
  const stream = await askFor({ deviceId: '' })
  if (stream.getAudioTracks().every(({ muted }) => !muted)) return stream
  stream.getTracks().forEach((track) => track.stop())
  return null
}
