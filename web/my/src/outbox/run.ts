import { ask } from '../api/ask'
import { number, watchNumber } from '../api/session'
import { store } from '../kept/store'
import { forgetAnswers } from '../kept/use-answer'
import { sendDue } from './send'

const LOCK = 'hotline137-my-outbox'
const ELSEWHERE_MS = 10_000

let timer: ReturnType<typeof setTimeout> | undefined

/** Send now what can be sent; of several tabs one does. */
export async function goOut(anyway = true): Promise<void> {
  clearTimeout(timer)
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
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void goOut()
  })
  watchNumber(() => void goOut())
  void goOut()
  void stillHere().catch(() => undefined)
}

/**
 * Somebody may have been deleted, or signed out, on a page without scripts: what has arrived tells of them. The API's no is heard by all;
 * a page that was left just then has not forgotten all of it.
 */
async function stillHere(): Promise<void> {
  if (!number()) await forgetAnswers()
  else if ((await store.reports.where({ state: 'arrived' }).count()) > 0) await ask('GET', '/sessions')
}
