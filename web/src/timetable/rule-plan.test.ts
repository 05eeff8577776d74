import { expect, it } from 'vitest'
import type { Rule } from './queries'
import { newRule, ruleOf, toRule } from './rule-plan'
import { dayNamed, isFriday, toRRule, WEEK, weekdaysOf } from './week'

const rule = { ...newRule('2026-12-01'), name: ' مدیران مناطق ', officials: [4, 5] }

it('given a weekly rule when told to the API then it is one of RFC 5545, its days from Saturday on', () => {
  expect(toRRule(['WE', 'SA'])).toBe('FREQ=WEEKLY;BYDAY=SA,WE')
  expect(weekdaysOf('FREQ=WEEKLY;BYDAY=SA,WE')).toEqual(['SA', 'WE'])
})

it.each(['FREQ=MONTHLY;BYDAY=1WE', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=WE', 'FREQ=WEEKLY;BYDAY=XX', 'FREQ=DAILY'])(
  'given %s, which is not simply weekly, when read then it is left as it is', (rrule) => {
    expect(weekdaysOf(rrule)).toBeNull()
  },
)

it('given a day of the week when named then it is that day', () => {
  const dayIn = (day: string) => new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(new Date(day))
  expect(WEEK.map(dayNamed).map(dayIn)).toEqual(['Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'])
  expect([isFriday('2026-12-04'), isFriday('2026-12-05')]).toEqual([true, false])
})

it('given a rule when told to the API then names are trimmed and numbers are numbers', () => {
  expect(toRule({ ...rule, start: { day: '', time: '۹:۳۰' }, capacity: '۳۰', minutes: '٥' })).toMatchObject({
    name: 'مدیران مناطق', rrule: 'FREQ=WEEKLY;BYDAY=WE', starts_on: '2026-12-01', starts_at: '09:30', ends_at: '12:00',
    official_ids: [4, 5], at_once: 1, announce_days: 7, registration_days: 1, capacity: 30, minutes: 5,
  })
})

it.each([
  { name: '  ' }, { officials: [] }, { languages: [] }, { end: { day: '', time: '24:00' } }, { atOnce: '0' }, { announceDays: '' },
  { registrationDays: 'x' }, { minutes: '-1' }, { capacity: '1.5' },
])('given %o, which is missing or written wrongly, when told then it is nothing', (change) => {
  expect(toRule({ ...rule, ...change })).toBeNull()
})

it('given a rule of the API when it is changed then it comes back the same', () => {
  const made = {
    name: 'مدیران', rrule: 'FREQ=WEEKLY;BYDAY=MO', starts_on: '2026-12-01', starts_at: '09:00:00', ends_at: '12:30:00', official_ids: [4],
    deputy_ids: [9], at_once: 2, announce_days: 7, registration_days: 1, capacity: null, minutes: 6, languages: ['fa'], recorded: true,
  } as unknown as Rule
  expect(toRule(ruleOf(made))).toEqual({ ...made, starts_at: '09:00', ends_at: '12:30' })
})
