import { expect, it } from 'vitest'
import { grouped } from './groups'
import type { RoundNotice } from './queries'

const NOW = Date.parse('2026-12-01T08:00:00Z')

const notice = (id: number, state: RoundNotice['state'], day: string, { announced = day, phase = 'announced' } = {}) =>
  ({ state, round: { id, phase, announce_at: `${announced}T06:00:00Z`, ends_at: `${day}T12:00:00Z` } }) as RoundNotice

it('given notices of all kinds when grouped then each is where it is looked for, the nearest first', () => {
  const { planned, out, past } = grouped([
    notice(1, 'announced', '2026-11-20', { phase: 'over' }),
    notice(2, 'cancelled', '2026-11-28', { phase: 'cancelled' }),
    notice(3, 'changed', '2026-12-01', { phase: 'over' }),
    notice(4, 'announced', '2026-12-01', { phase: 'live' }),
    notice(5, 'never', '2026-12-02', { phase: 'cancelled' }),
    notice(6, 'cancelled', '2026-12-03', { phase: 'cancelled' }),
    notice(7, 'planned', '2026-12-08', { announced: '2026-12-05' }),
    notice(8, 'planned', '2026-12-09', { announced: '2026-12-04' }),
  ], NOW)
  const ids = (group: RoundNotice[]) => group.map(({ round }) => round.id)
  expect([ids(planned), ids(out), ids(past)]).toEqual([[8, 7], [4, 6], [5, 3, 2, 1]])
})
