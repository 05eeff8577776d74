import { expect, it } from 'vitest'
import type { Round } from '../api/types'
import { endOf, moved, newPlan, others, planOf, toCome, toRound } from './plan'
import type { CalendarDay } from './queries'

const plan = newPlan('7', '2026-12-02')

it('given a day when a round is planned on it then its others count, made or to be made, and no cancelled one', () => {
  const round = (id: number, phase: Round['phase']) => ({ id, phase }) as Round
  const rounds = [round(1, 'over'), round(2, 'open'), round(3, 'cancelled')]
  const day = { rounds, coming: [{ lacking: 2 }, { lacking: 0 }] } as CalendarDay
  expect(others(day)).toBe(4)
  expect(others(day, rounds[1])).toBe(3)
})

it('given a new plan when told to the API then its times are UTC and registration begins the day before', () => {
  expect(toRound(plan)).toMatchObject({
    official_id: 7, substitute_id: null, deputy_ids: [], announce_at: null,
    starts_at: '2026-12-02T05:30:00.000Z', ends_at: '2026-12-02T08:30:00.000Z',
    registration_from: '2026-12-01T05:30:00.000Z', registration_until: '2026-12-02T08:30:00.000Z',
    capacity: null, minutes: 6, languages: ['fa', 'en'], recorded: false, short_notice: false,
  })
})

it.each([
  ['22:00', '01:00', '2026-12-03'], ['۲۲:۰۰', '۲۲:۰۰', '2026-12-03'], ['9:00', '10:00', '2026-12-02'], ['22:00', '', '2026-12-02'],
])('given a round from %s until %s when its end is looked for then it is on %s', (from, until, day) => {
  const late = { ...plan, start: { ...plan.start, time: from }, end: { ...plan.end, time: until } }
  expect(endOf(late).day).toBe(day)
})

it('given Persian digits when told to the API then they are numbers', () => {
  const written = { ...plan, start: { day: '2026-12-02', time: '۹:۳۰' }, capacity: '۴۰', minutes: '۵', substitute: '8', deputies: ['9', '10'] }
  expect(toRound(written)).toMatchObject({
    starts_at: '2026-12-02T06:00:00.000Z', capacity: 40, minutes: 5, substitute_id: 8, deputy_ids: [9, 10],
  })
})

it.each([
  { end: { day: '2026-12-02', time: '25:00' } },
  { start: { day: '2026-12-02', time: '' } },
  { registrationFrom: { day: '2026-12-01', time: 'x' } },
  { announce: { day: '2026-12-01', time: '9' } },
  { minutes: '' }, { minutes: '0' }, { capacity: 'x' }, { languages: [] },
])('given %o, which is written wrongly, when told then it is nothing', (change) => {
  expect(toRound({ ...plan, ...change })).toBeNull()
})

it('given a round when it goes to another day then registration and its end move along', () => {
  const later = moved(plan, '2027-01-01')
  expect(later.start).toEqual({ day: '2027-01-01', time: '09:00' })
  expect(later.registrationFrom).toEqual({ day: '2026-12-31', time: '09:00' })
  expect(later.registrationUntil.day).toBe('2027-01-01')
  expect(moved(later, '2026-12-02')).toEqual(plan)
})

it('given a round of the API when it is planned anew then it comes back the same', () => {
  const round = {
    official: { id: 7 }, substitute: null, deputies: [{ id: 9 }], starts_at: '2026-12-02T05:30:00.000Z', ends_at: '2026-12-02T08:30:00.000Z',
    registration_from: '2026-12-01T05:30:00.000Z', registration_until: '2026-12-02T08:00:00.000Z', announce_at: '2026-11-25T05:30:00.000Z',
    capacity: 40, minutes: 5, languages: ['fa'], recorded: true,
  } as unknown as Round
  const { starts_at, ends_at, registration_from, registration_until, announce_at, capacity, minutes, languages, recorded } = round
  expect(toRound(planOf(round))).toEqual({
    official_id: 7, substitute_id: null, deputy_ids: [9], short_notice: false,
    starts_at, ends_at, registration_from, registration_until, announce_at, capacity, minutes, languages, recorded,
  })
})

it('given a round that has begun when it is changed then nothing of what is past is told', () => {
  const made = toRound(plan)
  expect(made && Object.keys(toCome(made)).toSorted()).toEqual([
    'capacity', 'deputy_ids', 'ends_at', 'languages', 'minutes', 'recorded', 'registration_until', 'short_notice', 'substitute_id',
  ])
})
