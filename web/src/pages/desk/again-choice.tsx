import { Button } from '@mantine/core'
import { Suspense } from 'react'
import type { Round } from '../../api/calls'
import { serverNow } from '../../api/clock'
import { useLanguage } from '../../language/language'
import { Key } from '../../ui/key'
import { part } from '../../ui/part'
import { useKeys } from '../../ui/use-keys'
import { cityTime } from '../../language/city-time'
import { type Again, isPastEnd, momentOf, waysIn } from './again'
import style from './callback.module.css'

// The calendar is a third of what the desk would fetch at its start.
const MomentInput = part(async () => ({ default: (await import('../../ui/moment-input')).MomentInput }))

interface Props {
  again: Again
  round: Round | undefined
  onChoose: (again: Again) => void
}

const FIRST_KEY = 5

/** When a citizen who is to be called again wants that: the own place is kept meanwhile. */
export function AgainChoice({ again, round, onChoose }: Props) {
  const { text, format } = useLanguage()
  const words = text.again
  const now = serverNow()
  const ways = waysIn(round, now)
  const at = momentOf(again, round, now)
  const choose = (way: Again['way']) =>
    onChoose(way === again.way ? { way: 'soon' } : way === 'time' ? { way, time: cityTime(now) } : { way })
  const keyOf = (index: number) => String((FIRST_KEY + index) % 10)
  useKeys(Object.fromEntries(ways.map((way, index) => [keyOf(index), () => choose(way)])))

  return (
    <div className={style.again} role="group" aria-label={words.title}>
      <strong>{words.title}</strong>
      <div className={style.choices}>
        {ways.map((way, index) => (
          <Button
            key={way} size="xs" variant={way === again.way ? 'filled' : 'default'} aria-pressed={way === again.way} data-testid={`again-${way}`}
            aria-keyshortcuts={keyOf(index)} onClick={() => choose(way)} rightSection={<Key>{format.digits(keyOf(index))}</Key>}
          >
            {words[way]}
          </Button>
        ))}
      </div>
      {again.way === 'time' && again.time && (
        <Suspense>
          <MomentInput label={words.day} value={again.time} testId="again-moment" onChange={(time) => onChoose({ way: 'time', time })} />
        </Suspense>
      )}
      <p role="status" data-testid="again-help">
        {at === null ? words.soonHelp : isPastEnd(at, round) ? words.pastEnd : words.at(format.moment(at))}
      </p>
    </div>
  )
}
