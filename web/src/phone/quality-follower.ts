import { verdictOf, type Verdict } from './mos'
import { between, mosOfSample, troubleOf, type Reading, type Sample, type Trouble } from './quality'

export interface QualityStatus {
  /** Null while it is not known. */
  verdict: Verdict | null
  /** It has been bad for seconds; or the microphone, which one hears of only in a conversation. */
  warning: Trouble | null
  now: Sample | null
  mos: number | null
}

export const UNKNOWN: QualityStatus = { verdict: null, warning: null, now: null, mos: null }

/** So many readings in a row make it worse, or better: the icon does not flicker. */
const [WORSE_AFTER, BETTER_AFTER] = [2, 3]
/** By so much it must be better than needed. */
const MARGIN = 0.1
const RANK: Record<Verdict, number> = { bad: 0, fair: 1, good: 2 }

/** A verdict that takes its time. */
export class Steady {
  verdict: Verdict = 'good'
  /** Readings in a row that say better, or, below nothing, worse. */
  private run = 0

  take(mos: number): Verdict {
    const worse = verdictOf(mos)
    const better = verdictOf(mos - MARGIN)
    if (RANK[worse] < RANK[this.verdict]) this.run = Math.min(0, this.run) - 1
    else if (RANK[better] > RANK[this.verdict]) this.run = Math.max(0, this.run) + 1
    else this.run = 0
    if (this.run <= -WORSE_AFTER) this.become(worse)
    if (this.run >= BETTER_AFTER) this.become(better)
    return this.verdict
  }

  private become(verdict: Verdict): void {
    this.verdict = verdict
    this.run = 0
  }
}

/** Milliseconds: without any packet the call hangs; what Asterisk said is old; bad is warned of; a microphone is dead. */
const [HUNG, OLD, WARNED, DEAD] = [5_000, 15_000, 4_000, 20_000]
/** After so many readings that could not be had nothing is known any more. */
const FORGOTTEN = 3
const NOTHING: Pick<Sample, 'heard' | 'sent' | 'rtt' | 'packets'> = {
  heard: { loss: 100, jitter: 0 }, sent: null, rtt: null, packets: 0,
}

/** Makes of one reading after the other how the call stands. */
export class QualityFollower {
  private before: Reading | null = null
  private steady = new Steady()
  private soundAt: number | null = null
  private said = { at: 0, report: -1 }
  private badSince: number | null = null
  private quietSince: number | null = null
  private known = false
  private missing = 0

  /** `speaks`: the microphone is not switched off. */
  take(now: Reading | null, speaks: boolean): QualityStatus {
    const sample = now && this.follow(now)
    this.before = now
    this.missing = now ? 0 : this.missing + 1
    if (!now || !sample) return { ...UNKNOWN, verdict: this.known && this.missing < FORGOTTEN ? this.steady.verdict : null }
    this.known = true
    const mos = mosOfSample(sample)
    const verdict = this.steady.take(mos)
    if (verdict === 'bad') this.badSince ??= now.at
    else this.badSince = null
    const dead = this.isDead(now.at, speaks && sample.silent)
    const bad = this.badSince !== null && now.at - this.badSince >= WARNED
    return { verdict, warning: bad ? troubleOf(sample) : dead ? 'microphone' : null, now: sample, mos }
  }

  private follow(now: Reading): Sample | null {
    const sample = between(this.before, now)
    if (!sample) {
      this.soundAt = now.at
      return null
    }
    if (sample.packets > 0) this.soundAt = now.at
    else if (now.at - (this.soundAt ?? now.at) >= HUNG) return { ...sample, ...NOTHING }
    // A moment without packets tells nothing yet.
    else return null
    return { ...sample, sent: this.fresh(now) ? sample.sent : null }
  }

  /** Asterisk says anew every few seconds what it gets; one that says nothing more is not believed for long. */
  private fresh({ at, remote }: Reading): boolean {
    if (!remote) return false
    if (remote.said !== this.said.report) this.said = { at, report: remote.said }
    return at - this.said.at < OLD
  }

  private isDead(at: number, silent: boolean): boolean {
    if (silent) this.quietSince ??= at
    else this.quietSince = null
    return this.quietSince !== null && at - this.quietSince >= DEAD
  }
}
