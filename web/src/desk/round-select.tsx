import { NativeSelect } from '@mantine/core'
import { useRounds } from '../api/rounds'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'

interface Props {
  rounds: Round[]
  chosen: Round | undefined
  onChoose: (id: number) => void
}

export function RoundSelect({ rounds, chosen, onChoose }: Props) {
  const { text, format, office, hours } = useLanguage()
  const { isPending } = useRounds()
  // As high as what comes: on a telephone it stands above everything.
  if (isPending) return <NativeSelect size="md" style={{ visibility: 'hidden' }} />
  if (!chosen) return <span>{text.round.none}</span>
  return (
    <NativeSelect
      aria-label={text.round.choose} data-testid="round-select" size="md" value={chosen.id}
      onChange={(event) => onChoose(Number(event.currentTarget.value))}
      data={rounds.map((round) => ({
        value: String(round.id),
        label: text.round.option(
          office(round.official),
          `${format.date(round.starts_at)}${text.comma}${hours(round)}`,
          text.phase[round.phase],
        ),
      }))}
    />
  )
}
