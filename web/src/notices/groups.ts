import type { RoundNotice } from './queries'

export type Group = 'planned' | 'out' | 'past'

/** What is still to come out, the next one first; what is out of rounds to come, the soonest first; and the past ones, the last one first. */
export function grouped(notices: RoundNotice[], now: number): Record<Group, RoundNotice[]> {
  const groups: Record<Group, RoundNotice[]> = { planned: [], out: [], past: [] }
  for (const one of notices) groups[groupOf(one, now)].push(one)
  groups.planned.sort((one, other) => Date.parse(one.round.announce_at) - Date.parse(other.round.announce_at))
  groups.past.reverse()
  return groups
}

function groupOf({ state, round }: RoundNotice, now: number): Group {
  if (state === 'planned') return 'planned'
  return state !== 'never' && round.phase !== 'over' && Date.parse(round.ends_at) > now ? 'out' : 'past'
}
