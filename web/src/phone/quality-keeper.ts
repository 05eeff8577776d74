import { Problem } from '../api/problem'
import type { QualityStatus } from './quality-follower'
import { measuredOf, noSums, withSample, type Measured, type Sums } from './quality-sums'

/** Outlives this page: what is not sent yet is sent by the next one, and one that is loaded anew goes on counting. */
const KEPT = 'hotline137.quality'
/** While a conversation goes on it is sent so often: should this computer die, little is lost. */
const EVERY = 30_000

type Send = (callback: number, measured: Measured) => Promise<unknown>

/** Counts how the conversation of a desk sounds, and sends it: now and then, and when it is over. */
export class QualityKeeper {
  private sums: Sums | null = kept()
  /** When it was last sent, and how many readings. */
  private tried = { at: -EVERY, readings: 0 }

  constructor(private readonly send: Send, private readonly now: () => number = () => performance.now()) {}

  /** A reading; `talking`: the callback in conversation, if there is one. */
  take({ now, mos }: Pick<QualityStatus, 'now' | 'mos'>, talking: number | null): void {
    if (talking !== null && now && mos !== null) this.count(talking, withSample(this.of(talking), now, mos))
    this.tell(talking)
  }

  /** Whether somebody talks may have changed: what is not sent yet is sent at once when a conversation is over. */
  tell(talking: number | null): void {
    const { sums, tried } = this
    if (!sums || !(sums.mos.count > sums.sent)) return
    const over = sums.callback !== talking && tried.readings !== sums.mos.count
    if (over || this.now() - tried.at >= EVERY) void this.post(sums)
  }

  private of(callback: number): Sums {
    return this.sums?.callback === callback ? this.sums : noSums(callback)
  }

  private count(callback: number, sums: Sums): void {
    const { sums: before } = this
    // Of the one before, what could not be sent until now is lost if it fails once more.
    if (before && before.callback !== callback && before.mos.count > before.sent) void this.post(before)
    this.keep(sums)
  }

  private keep(sums: Sums): void {
    this.sums = sums
    try {
      localStorage.setItem(KEPT, JSON.stringify(sums))
    } catch {
      // A browser that keeps nothing: this page still sends it.
    }
  }

  private async post(sums: Sums): Promise<void> {
    this.tried = { at: this.now(), readings: sums.mos.count }
    const done = await this.send(sums.callback, measuredOf(sums)).then(() => true, isRefused)
    if (done && this.sums?.callback === sums.callback) this.keep({ ...this.sums, sent: sums.mos.count })
  }
}

/** Not to be tried again; a session that has ended begins anew. */
const isRefused = (error: unknown) => error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 401

function kept(): Sums | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as Sums | null
  } catch {
    return null
  }
}
