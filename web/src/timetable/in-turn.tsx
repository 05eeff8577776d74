import { ActionIcon, Button, Group, NativeSelect } from '@mantine/core'
import type { Official } from '../api/types'
import { useLanguage } from '../language/language'
import type { At } from '../ui/use-fields'
import style from './timetable.module.css'

interface Props {
  at: At
  officials: Official[]
  /** Their numbers, in the order of their turns. */
  chosen: number[]
  onChange: (chosen: number[]) => void
}

/** Who takes turns, and in which order. */
export function InTurn({ at, officials, chosen, onChange }: Props) {
  const { text, office } = useLanguage()
  const words = text.rules.form
  const others = officials.filter(({ id, active }) => active && !chosen.includes(id))
  const districts = others.filter(({ kind }) => kind === 'district_manager').map(({ id }) => id)
  const swap = (place: number, other: number) => {
    const moved = [...chosen]
    const [a, b] = [moved[place], moved[other]]
    if (a === undefined || b === undefined) return
    moved[place] = b
    moved[other] = a
    onChange(moved)
  }
  return (
    <div role="group" aria-labelledby="in-turn">
      <Group justify="space-between" align="end">
        <NativeSelect
          {...at('official_ids')} id="add-official" label={<span id="in-turn">{words.officials}</span>} value="" data-testid="add-official" className={style.grow}
          data={[{ value: '', label: words.add }, ...others.map((one) => ({ value: String(one.id), label: office(one) }))]}
          onChange={(event) => event.currentTarget.value && onChange([...chosen, Number(event.currentTarget.value)])}
        />
        {districts.length > 1 && (
          <Button variant="default" onClick={() => onChange([...chosen, ...districts])} data-testid="all-districts">{words.all}</Button>
        )}
      </Group>
      <ol className={style.turns} data-testid="in-turn">
        {chosen.map((id, place) => {
          const one = officials.find((official) => official.id === id)
          const name = one ? office(one) : ''
          return (
            <li key={id}>
              <span>{name}</span>
              <ActionIcon variant="subtle" aria-label={words.up(name)} disabled={place === 0} onClick={() => swap(place, place - 1)}>▲</ActionIcon>
              <ActionIcon variant="subtle" aria-label={words.down(name)} disabled={place === chosen.length - 1} onClick={() => swap(place, place + 1)}>▼</ActionIcon>
              <ActionIcon variant="subtle" color="brick" aria-label={words.remove(name)} onClick={() => onChange(chosen.filter((other) => other !== id))}>✕</ActionIcon>
            </li>
          )
        })}
      </ol>
    </div>
  )
}
