import type { Callback } from '../api/types'
import { type Talk, talkOf } from '../callbacks/talk'

/** So long before the agreed minutes are over the page says so. */
const SOON = 30_000

export interface Time {
  talk: Talk | null
  tone: 'calm' | 'soon' | 'late'
}

/** How long the conversation has lasted, and whether the agreed minutes, of which waiting is none, are nearly or all gone. */
export function timeOf(callback: Callback | null, minutes: number, now: number): Time {
  const talk = callback && talkOf(callback, now)
  const over = callback?.state === 'ended' || callback?.state === 'parting'
  if (!talk || over) return { talk, tone: 'calm' }
  const left = minutes * 60_000 - (talk.lasted - talk.held)
  if (left > SOON) return { talk, tone: 'calm' }
  return { talk, tone: left > 0 ? 'soon' : 'late' }
}
