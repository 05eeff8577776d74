import { expect, it } from 'vitest'
import type { Citizen } from './queries'
import { openOf, timelineOf } from './timeline'

const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}T08:00:00Z`

const citizen = {
  registrations: [
    { id: 2, state: 'waiting', registered_at: day(20), ticket: '1', calls: [] },
    { id: 1, state: 'reached', registered_at: day(1), ticket: '2', calls: [{ callback_id: 7, at: day(9) }, { callback_id: 8, at: day(10) }] },
  ],
  requests: [{ id: 5, state: 'replied', made_at: day(15) }, { id: 4, state: 'closed', made_at: day(2) }],
  messages: [{ kind: 'registered', made_at: day(20) }],
} as unknown as Citizen

it('given registrations with calls, requests and messages when put in order then the newest is first', () => {
  expect(timelineOf(citizen).map(({ kind, at }) => `${kind} ${String(Number(at.slice(8, 10)))}`)).toEqual([
    'registration 20', 'message 20', 'request 15', 'call 10', 'call 9', 'request 2', 'registration 1',
  ])
})

it('given what is at its end and what is not when asked what is open then only what a citizen would ask about', () => {
  const { registrations, requests } = openOf(citizen)
  expect([registrations.map(({ id }) => id), requests.map(({ id }) => id)]).toEqual([[2], [5]])
})
