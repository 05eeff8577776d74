import { momentOf, TONE, type Moment } from './check-sound'
import { hearOn } from './devices'

const VOLUME = 0.2

/** A copy of the microphone, which is heard also while the phone’s own is muted, and a loudspeaker. */
export class Ears {
  private readonly context = new AudioContext()
  private readonly analyser = new AnalyserNode(this.context, { fftSize: 2_048 })
  private readonly copy: MediaStream
  private readonly samples = new Float32Array(this.analyser.fftSize)

  constructor(stream: MediaStream | null, signal: AbortSignal) {
    this.copy = new MediaStream((stream?.getAudioTracks() ?? []).map((track) => track.clone()))
    this.copy.getAudioTracks().forEach((track) => (track.enabled = true))
    if (this.copy.getAudioTracks().length) this.context.createMediaStreamSource(this.copy).connect(this.analyser)
    void this.context.resume()
    hearOn(this.context, 'audiooutput')
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
