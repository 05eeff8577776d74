import { type CityTime, clockOf } from '../../shared/language/city-time'
import { count } from '../language/format'
import type { Rule, RuleIn } from './queries'
import { toRRule, weekdaysOf } from './week'

/** A rule as its form holds it. */
export interface RulePlan {
  name: string
  days: string[]
  startsOn: string
  start: CityTime
  end: CityTime
  officials: number[]
  deputies: string[]
  atOnce: string
  announceDays: string
  registrationDays: string
  capacity: string
  minutes: string
  languages: string[]
  recorded: boolean
}

export const newRule = (today: string): RulePlan => ({
  name: '', days: ['WE'], startsOn: today, start: { day: today, time: '09:00' }, end: { day: today, time: '12:00' },
  officials: [], deputies: [], atOnce: '1', announceDays: '7', registrationDays: '1', capacity: '', minutes: '6',
  languages: ['fa', 'en'], recorded: false,
})

export const ruleOf = (rule: Rule): RulePlan => ({
  name: rule.name, days: weekdaysOf(rule.rrule) ?? [], startsOn: rule.starts_on,
  start: { day: rule.starts_on, time: rule.starts_at.slice(0, 5) }, end: { day: rule.starts_on, time: rule.ends_at.slice(0, 5) },
  officials: rule.official_ids, deputies: rule.deputy_ids.map(String), atOnce: String(rule.at_once),
  announceDays: String(rule.announce_days), registrationDays: String(rule.registration_days),
  capacity: rule.capacity === null ? '' : String(rule.capacity), minutes: String(rule.minutes),
  languages: rule.languages, recorded: rule.recorded,
})

/** What the API is told; null while something is missing or written wrongly. */
export function toRule(plan: RulePlan): RuleIn | null {
  const [starts_at, ends_at] = [plan.start, plan.end].map(({ time }) => clockOf(time))
  const capacity = plan.capacity.trim() ? count(plan.capacity) : null
  const [at_once, announce_days, minutes] = [plan.atOnce, plan.announceDays, plan.minutes].map(count)
  const registration_days = count(plan.registrationDays)
  if (!plan.name.trim() || !plan.officials.length || !plan.languages.length || !starts_at || !ends_at) return null
  if (!at_once || !announce_days || !minutes || !registration_days || (plan.capacity.trim() && capacity === null)) return null
  return {
    name: plan.name.trim(), rrule: toRRule(plan.days), starts_on: plan.startsOn, starts_at, ends_at,
    official_ids: plan.officials, deputy_ids: plan.deputies.map(Number), at_once, announce_days, registration_days,
    capacity, minutes, languages: plan.languages as RuleIn['languages'], recorded: plan.recorded,
  }
}
