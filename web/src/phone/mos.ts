/**
 * How well one understands the other on a telephone, from 1 to 4.4 (a mean opinion score, MOS).
 *
 * By the E-model of ITU-T G.107, with what G.113 (appendix I) says of G.711 whose losses are concealed, and the impairment
 * by delay as R. Cole and J. Rosenbluth simplify it (“Voice over IP performance monitoring”, ACM CCR 31, 2001).
 */

/** One direction: per cent of the packets that did not come, or too late; and how unevenly they come, in milliseconds. */
export interface Way {
  loss: number
  jitter: number
}

/** R of G.711 without any loss or delay, and by which share of lost packets it falls. */
const [BEST, ROBUST, WORST_BY_LOSS] = [93.2, 25.1, 95]
/** Milliseconds: of sound in a packet, and the delay from which two people talk at the same time. */
const [PACKET, NOTICED] = [20, 177.3]

/** `rtt` there and back, in milliseconds; unknown, it counts as none. */
export function mosOf({ loss, jitter }: Way, rtt: number | null): number {
  const delay = (rtt ?? 0) / 2 + 2 * jitter + PACKET
  const byDelay = 0.024 * delay + 0.11 * Math.max(0, delay - NOTICED)
  const byLoss = (WORST_BY_LOSS * loss) / (loss + ROBUST)
  const r = Math.min(100, Math.max(0, BEST - byDelay - byLoss))
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/** Good: all are satisfied. Fair: some are not. Bad: many are not, words are lost. */
export type Verdict = 'bad' | 'fair' | 'good'

/** From these on, by annex B of G.107; `hotline/callbacks/call_quality.py` has the lower one, too. */
const [FAIR, GOOD] = [3.1, 4]

export const verdictOf = (mos: number): Verdict => (mos >= GOOD ? 'good' : mos >= FAIR ? 'fair' : 'bad')
