import { addDays, type CityTime, cityTime, clockOf, toIso } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import type { Round } from '../api/types'
import { count } from '../language/format'
import type { CalendarDay, RoundIn } from './queries'

/** A round as its form holds it. */
export interface Plan {
  official: string
  substitute: string
  deputies: string[]
  start: CityTime
  end: CityTime
  registrationFrom: CityTime
  registrationUntil: CityTime
  /** null: at once. */
  announce: CityTime | null
  capacity: string
  minutes: string
  languages: string[]
  recorded: boolean
  shortNotice: boolean
}

export function newPlan(official: string, day = addDays(cityTime(serverNow()).day, 3)): Plan {
  return {
    official, substitute: '', deputies: [],
    start: { day, time: '09:00' }, end: { day, time: '12:00' },
    registrationFrom: { day: addDays(day, -1), time: '09:00' }, registrationUntil: { day, time: '12:00' },
    announce: null, capacity: '', minutes: '6', languages: ['fa', 'en'], recorded: false, shortNotice: false,
  }
}

export const planOf = (round: Round): Plan => ({
  official: String(round.official.id),
  substitute: round.substitute ? String(round.substitute.id) : '',
  deputies: round.deputies.map(({ id }) => String(id)),
  start: cityTime(round.starts_at), end: cityTime(round.ends_at),
  registrationFrom: cityTime(round.registration_from), registrationUntil: cityTime(round.registration_until),
  announce: cityTime(round.announce_at),
  capacity: round.capacity === null ? '' : String(round.capacity), minutes: String(round.minutes),
  languages: round.languages, recorded: round.recorded, shortNotice: false,
})

/** What of a round that has begun is still to come, and can be changed. */
export function toCome(round: RoundIn) {
  const { substitute_id, deputy_ids, ends_at, registration_until, capacity, minutes, languages, recorded, short_notice } = round
  return { substitute_id, deputy_ids, ends_at, registration_until, capacity, minutes, languages, recorded, short_notice }
}

/** Another day for the round: registration moves along. */
export function moved(plan: Plan, day: string): Plan {
  const days = (Date.parse(day) - Date.parse(plan.start.day)) / 86_400_000
  const along = (time: CityTime) => ({ ...time, day: addDays(time.day, days) })
  return {
    ...plan, start: along(plan.start), end: along(plan.end),
    registrationFrom: along(plan.registrationFrom), registrationUntil: along(plan.registrationUntil),
  }
}

/** How many other rounds a day has, those included that a rule will make. */
export const others = ({ rounds, coming }: CalendarDay, round?: Round) =>
  rounds.filter(({ id, phase }) => phase !== 'cancelled' && id !== round?.id).length + coming.reduce((sum, { lacking }) => sum + lacking, 0)

/** When a plan's hours end: an hour that is not after the beginning's is the next day's. */
export function endOf({ start, end }: Pick<Plan, 'start' | 'end'>): CityTime {
  const [from, until] = [clockOf(start.time), clockOf(end.time)]
  return { ...end, day: addDays(start.day, from && until && until <= from ? 1 : 0) }
}

/** What the API is told; null while something is written wrongly. */
export function toRound(plan: Plan): RoundIn | null {
  const announce = plan.announce && toIso(plan.announce)
  const [starts_at, ends_at, registration_from, registration_until] =
    [plan.start, endOf(plan), plan.registrationFrom, plan.registrationUntil].map(toIso)
  const capacity = plan.capacity.trim() ? count(plan.capacity) : null
  const minutes = count(plan.minutes)
  if (!starts_at || !ends_at || !registration_from || !registration_until || minutes === null) return null
  if ((plan.announce && !announce) || (plan.capacity.trim() && capacity === null) || !plan.languages.length) return null
  return {
    official_id: Number(plan.official), substitute_id: plan.substitute ? Number(plan.substitute) : null,
    deputy_ids: plan.deputies.map(Number), announce_at: announce, starts_at, ends_at, registration_from,
    registration_until, capacity, minutes, languages: plan.languages as RoundIn['languages'],
    recorded: plan.recorded, short_notice: plan.shortNotice,
  }
}
