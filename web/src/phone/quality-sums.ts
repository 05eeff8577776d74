import type { components } from '../../shared/api/schema.gen'
import type { Sample } from './quality'

export type Measured = components['schemas']['Measured']

interface Sum {
  sum: number
  count: number
  worst: number
}

/** What was measured of one conversation so far. */
export interface Sums {
  callback: number
  mos: Sum
  loss: Sum
  jitter: Sum
  rtt: Sum
  /** So many readings the server has. */
  sent: number
}

const NONE: Sum = { sum: 0, count: 0, worst: 0 }

export const noSums = (callback: number): Sums =>
  ({ callback, mos: { ...NONE, worst: 5 }, loss: NONE, jitter: NONE, rtt: NONE, sent: 0 })

const plus = ({ sum, count, worst }: Sum, value: number, worse: (...values: number[]) => number): Sum =>
  ({ sum: sum + value, count: count + 1, worst: worse(worst, value) })

/** With one more reading; of the two directions the worse one counts. */
export function withSample(sums: Sums, { heard, sent, rtt }: Sample, mos: number): Sums {
  return {
    ...sums,
    mos: plus(sums.mos, mos, Math.min),
    loss: plus(sums.loss, Math.max(heard.loss, sent?.loss ?? 0), Math.max),
    jitter: plus(sums.jitter, Math.max(heard.jitter, sent?.jitter ?? 0), Math.max),
    rtt: rtt === null ? sums.rtt : plus(sums.rtt, rtt, Math.max),
  }
}

/** What the server would not take is no reading of a telephone. */
const MOST_MS = 60_000
const hundredths = (value: number) => Math.round(value * 100) / 100
const mean = ({ sum, count }: Sum) => hundredths(sum / count)
const time = (value: number) => Math.min(MOST_MS, hundredths(value))

export function measuredOf({ mos, loss, jitter, rtt }: Sums): Measured {
  return {
    readings: mos.count,
    mos: mean(mos),
    mos_worst: hundredths(mos.worst),
    loss: mean(loss),
    loss_worst: hundredths(loss.worst),
    jitter_ms: time(mean(jitter)),
    jitter_ms_worst: time(jitter.worst),
    rtt_ms: rtt.count ? time(mean(rtt)) : null,
    rtt_ms_worst: rtt.count ? time(rtt.worst) : null,
  }
}
