import type { Round } from '../api/types'

/** Whether nothing will happen in it any more. */
export const isOver = (round: Round | undefined) => round?.phase === 'over' || round?.phase === 'cancelled'

/** The round a desk most likely wants: an announced one that is live or has begun, else the operators' line, else the next. */
export function likelyRound(rounds: Round[], now: number): Round | undefined {
  const sooner = rounds.toSorted((a, b) => a.starts_at.localeCompare(b.starts_at))
  const toCome = sooner.filter((round) => !isOver(round))
  const announced = toCome.filter(({ official }) => official.kind !== 'operators')
  return announced.find(({ phase }) => phase === 'live')
    ?? announced.find(({ starts_at }) => Date.parse(starts_at) <= now)
    ?? toCome.find(({ official }) => official.kind === 'operators')
    ?? announced.at(0)
    ?? sooner.at(-1)
}
