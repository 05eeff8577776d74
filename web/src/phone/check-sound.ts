/** What a few seconds of a microphone’s sound say of it. Levels are in decibels below the loudest (dBFS). */

/** A moment of sound: how loud, how near to the loudest it comes (0 to 1), and how loud the check’s own tone is in it. */
export interface Moment {
  level: number
  peak: number
  tone: number
}

/** Hertz: within a telephone’s band, and no note of a voice for long. */
export const TONE = 1_340

const decibels = (power: number) => 10 * Math.log10(power + 1e-12)

/** `rate`: samples in a second. */
export function momentOf(samples: Float32Array, rate: number): Moment {
  let power = 0
  let peak = 0
  for (const sample of samples) {
    power += sample * sample
    peak = Math.max(peak, Math.abs(sample))
  }
  return { level: decibels(power / samples.length), peak, tone: decibels(powerAt(samples, TONE / rate)) }
}

/** Of one frequency (in cycles a sample), as Goertzel computes it, with soft ends so that others stay out of it. */
function powerAt(samples: Float32Array, frequency: number): number {
  const turn = 2 * Math.cos(2 * Math.PI * frequency)
  let [last, before, weight] = [0, 0, 0]
  samples.forEach((sample, place) => {
    const soft = 1 - Math.cos((2 * Math.PI * place) / samples.length)
    weight += soft
    ;[last, before] = [sample * soft + turn * last - before, last]
  })
  return (2 * (last * last + before * before - turn * last * before)) / (weight * weight)
}

/** Nothing comes from it; so little that a voice is hardly heard; or so much that it rasps. */
export type MicrophoneResult = 'good' | 'quiet' | 'clipping' | 'silent' | 'refused' | 'missing'

/** A voice before a headset is about at -25; what is below -58 in its loudest moments is no voice. */
const [NO_VOICE, LOW_VOICE] = [-58, -42]
/** Of the moments so many may touch the loudest that there is. */
const [LOUDEST, MAY_TOUCH] = [0.985, 0.05]

/** What it says of the microphone while somebody spoke. */
export function microphoneOf(moments: Moment[]): Extract<MicrophoneResult, 'good' | 'quiet' | 'clipping' | 'silent'> {
  const loud = quantile(moments.map(({ level }) => level), 0.9)
  if (loud < NO_VOICE) return 'silent'
  const touching = moments.filter(({ peak }) => peak >= LOUDEST).length
  if (touching > moments.length * MAY_TOUCH) return 'clipping'
  return loud < LOW_VOICE ? 'quiet' : 'good'
}

/** The tone stands out by so much from what was there before, and is not merely traces of it. */
const [STANDS_OUT, TRACE] = [12, -66]

/** Whether the loudspeaker’s tone comes back into the microphone. */
export function isEcho(before: Moment[], during: Moment[]): boolean {
  const tones = (moments: Moment[]) => moments.map(({ tone }) => tone)
  const heard = quantile(tones(during), 0.5)
  return heard > TRACE && heard - quantile(tones(before), 0.8) > STANDS_OUT
}

/** Nothing at all is as quiet as can be. */
function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? -120
}
