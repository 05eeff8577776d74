import type { Callback } from '../api/types'

/** So long before the agreed minutes are over the page says so. */
const SOON = 30_000

export interface Time {
  /** In milliseconds. */
  spent: number
  tone: 'calm' | 'soon' | 'late'
}

/** How long the two have spoken, not counting while our side was gone, and whether the agreed minutes are nearly or all gone. */
export function timeOf(callback: Callback | null, minutes: number, now: number): Time {
  const over = callback?.state === 'ended' || callback?.state === 'parting'
  if (!callback?.talking_at) return { spent: 0, tone: 'calm' }
  const ended_at = over ? callback.ended_at : callback.held_at
  const until = ended_at ? Date.parse(ended_at) : now
  const spent = until - Date.parse(callback.talking_at) - callback.held_seconds * 1000
  const left = minutes * 60_000 - spent
  if (over || left > SOON) return { spent, tone: 'calm' }
  return { spent, tone: left > 0 ? 'soon' : 'late' }
}
