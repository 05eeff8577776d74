import { addDays, type CityTime, cityTime, toIso } from '../../shared/language/city-time'
import type { Round } from '../api/types'

const MINUTE = 60_000
const AFTERNOON = '15:00'
const MORNING = '09:00'

export const WAYS = ['ten-minutes', 'an-hour', 'afternoon', 'tomorrow', 'next-round', 'time'] as const
export type Way = (typeof WAYS)[number]

/** When a citizen is to be called again: `soon` leaves it to the rules. */
export interface CallLater {
  way: 'soon' | Way
  /** The city's time, for the way `time`. */
  time?: CityTime
  /** Agreed with the citizen by voice: it holds in quiet hours, too. */
  agreed?: boolean
}

/** The moment of a wish, in UTC; null for `soon`, and for a time that is none. */
export function momentOf({ way, time }: CallLater, round: Round | undefined, now: number): string | null {
  const today = cityTime(now).day
  switch (way) {
    case 'ten-minutes': return new Date(now + 10 * MINUTE).toISOString()
    case 'an-hour': return new Date(now + 60 * MINUTE).toISOString()
    case 'afternoon': return toIso({ day: today, time: AFTERNOON })
    case 'tomorrow': return toIso({ day: addDays(today, 1), time: MORNING })
    case 'next-round': return round?.ends_at ?? null
    case 'time': return time ? toIso(time) : null
    case 'soon': return null
  }
}

/** Whether it lies past the end of a round, in which the citizen is then not called any more. */
export const isPastEnd = (at: string | null, round: Round | undefined) =>
  at !== null && round !== undefined && !round.is_operators_line && Date.parse(at) >= Date.parse(round.ends_at)

/** The ways that make sense in this round at this moment; the operators' line has no next round. */
export function waysIn(round: Round | undefined, now: number): Way[] {
  const isOperatorsLine = round?.is_operators_line ?? false
  return WAYS.filter((way) => {
    if (way === 'time') return true
    if (way === 'next-round') return round !== undefined && !isOperatorsLine
    const at = momentOf({ way }, round, now)
    return at !== null && Date.parse(at) > now + 5 * MINUTE && !isPastEnd(at, round)
  })
}

/** The wish once a way is chosen; chosen twice, it is taken back. What was agreed of another time is not agreed of this one. */
export function chosen(before: CallLater, way: CallLater['way'], now: number): CallLater {
  if (way === before.way) return { way: 'soon' }
  return way === 'time' ? { way, time: cityTime(now) } : { way }
}
