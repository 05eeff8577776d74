import { ask } from '../api/ask'
import { number, setNumber, watchNumber } from '../api/session'
import type { Session } from '../api/types'
import { forgetAnswers } from '../kept/use-answer'
import { sendDue } from './send'

const LOCK = 'hotline137-my-outbox'
const ELSEWHERE_MS = 10_000

let timer: ReturnType<typeof setTimeout> | undefined

/** Send now what can be sent; of several tabs one does. */
export async function goOut(anyway = true): Promise<void> {
  clearTimeout(timer)
  await learnNumber().catch(() => undefined) // no answer: the network is away, or comes back in the middle of this
  const again = await alone(() => sendDue(anyway))
  if (again === null) return
  clearTimeout(timer)
  timer = setTimeout(() => void goOut(false), Math.max(1_000, again))
}

async function alone(send: () => Promise<number | null>): Promise<number | null> {
  if (!('locks' in navigator)) return send() // the key of each report makes twice harmless
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? send() : ELSEWHERE_MS))
}

/** While the page is open, what waits goes out whenever the network may be back. */
export function keepGoingOut(): void {
  window.addEventListener('online', () => void goOut())
  window.addEventListener('focus', () => void goOut()) // another window, beside this one, may have signed in or out
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void goOut()
  })
  watchNumber(() => void goOut())
  void goOut()
}

/**
 * Ask who is signed in: the pages without a script sign in, sign out and delete with the same cookies. What is kept of
 * anybody else is forgotten. An answer that comes after a sign-in here is too old.
 */
async function learnNumber(): Promise<void> {
  const known = number()
  const session = await ask<Session | undefined>('GET', '/sessions/current')
  if (number() !== known) return
  const masked = session?.number ?? ''
  if (!masked || masked !== known) await forgetAnswers()
  setNumber(masked)
}
