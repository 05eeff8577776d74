import { NativeSelect } from '@mantine/core'
import type { Round } from '../../api/calls'
import { serverNow } from '../../api/clock'
import { useLanguage } from '../../language/language'

/** Whether nothing will happen in it any more. */
export const isOver = (round: Round | undefined) => round?.phase === 'over' || round?.phase === 'cancelled'

/** The round a desk most likely wants: an announced one that is live or has begun, else the operators' line, else the next. */
export function likelyRound(rounds: Round[]): Round | undefined {
  const sooner = rounds.toSorted((a, b) => a.starts_at.localeCompare(b.starts_at))
  const toCome = sooner.filter((round) => !isOver(round))
  const announced = toCome.filter(({ official }) => official.kind !== 'operators')
  return announced.find(({ phase }) => phase === 'live')
    ?? announced.find(({ starts_at }) => Date.parse(starts_at) <= serverNow())
    ?? toCome.find(({ official }) => official.kind === 'operators')
    ?? announced.at(0)
    ?? sooner.at(-1)
}

interface Props {
  rounds: Round[]
  chosen: Round | undefined
  onChoose: (id: number) => void
}

export function RoundSelect({ rounds, chosen, onChoose }: Props) {
  const { text, format, office } = useLanguage()
  if (!chosen) return <span>{text.round.none}</span>
  return (
    <NativeSelect
      aria-label={text.round.choose} data-testid="round-select" size="md" value={chosen.id}
      onChange={(event) => onChoose(Number(event.currentTarget.value))}
      data={rounds.map((round) => ({
        value: String(round.id),
        label: text.round.option(
          office(round.official),
          `${format.date(round.starts_at)}${text.comma}${text.round.hours(format.time(round.starts_at), format.time(round.ends_at))}`,
          text.phase[round.phase],
        ),
      }))}
    />
  )
}
