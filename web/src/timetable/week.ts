/** The days of a week as a rule (RFC 5545) names them, from Saturday on. */
export const WEEK = ['SA', 'SU', 'MO', 'TU', 'WE', 'TH', 'FR'] as const
export type Weekday = (typeof WEEK)[number]

/** A day with this name, so that the language can say it: the 1st of August 2026 is a Saturday. */
export const dayNamed = (weekday: Weekday) => `2026-08-0${WEEK.indexOf(weekday) + 1}`

export const isFriday = (day: string) => new Date(`${day}T12:00:00Z`).getUTCDay() === 5

export const toRRule = (days: string[]) => `FREQ=WEEKLY;BYDAY=${WEEK.filter((day) => days.includes(day)).join(',')}`

/** The days of a rule that is simply weekly; null for any other. */
export function weekdaysOf(rrule: string): Weekday[] | null {
  const days = /^FREQ=WEEKLY;BYDAY=([A-Z,]+)$/.exec(rrule)?.[1]?.split(',')
  return days?.every((day) => WEEK.includes(day as Weekday)) ? (days as Weekday[]) : null
}
