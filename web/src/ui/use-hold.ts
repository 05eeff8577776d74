import { useEffect, useLayoutEffect, useState } from 'react'
import { Store, useStore } from './store'

const HELD = 1_000
/** Who cannot hold says it a second time, within so long; but nothing that follows faster than on purpose. */
const AGAIN = 5_000
const ON_PURPOSE = 700

/** Asks once more before something is done: it is held for a second, or said twice. */
export class Hold {
  readonly status = new Store<{ state: 'idle' | 'holding' | 'asked' }>({ state: 'idle' })
  private act: (() => void) | undefined
  private askedAt = -AGAIN
  private timer: ReturnType<typeof setTimeout> | undefined

  follow(act: (() => void) | undefined): void {
    this.act = act
  }

  readonly down = () => {
    if (!this.act) return
    if (this.isSaidTwice()) this.done()
    else this.settle('holding', HELD, this.done)
  }

  readonly up = () => {
    if (this.status.get().state === 'holding') this.ask()
  }

  /** What goes neither down nor up: a screen reader's press, Enter. */
  readonly tap = () => {
    if (!this.act) return
    if (this.isSaidTwice()) this.done()
    else if (this.sinceAsked() > AGAIN) this.ask()
  }

  readonly stop = () => clearTimeout(this.timer)

  private sinceAsked(): number {
    return performance.now() - this.askedAt
  }

  private isSaidTwice(): boolean {
    return this.sinceAsked() > ON_PURPOSE && this.sinceAsked() < AGAIN
  }

  private ask(): void {
    this.askedAt = performance.now()
    this.settle('asked', AGAIN, () => this.status.set({ state: 'idle' }))
  }

  private readonly done = () => {
    this.stop()
    this.askedAt = -AGAIN
    this.status.set({ state: 'idle' })
    this.act?.()
  }

  private settle(state: 'holding' | 'asked', wait: number, then: () => void): void {
    this.stop()
    this.status.set({ state })
    this.timer = setTimeout(then, wait)
  }
}

/** For one command, while it can be given. */
export function useHold(act: (() => void) | undefined) {
  const [hold] = useState(() => new Hold())
  useLayoutEffect(() => {
    hold.follow(act)
  }, [hold, act])
  useEffect(() => hold.stop, [hold])
  return { hold, ...useStore(hold.status) }
}
