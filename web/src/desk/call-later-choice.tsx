import { Button, Checkbox } from '@mantine/core'
import { Suspense } from 'react'
import { serverNow } from '../api/clock'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { problemText } from '../language/problem-text'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { part } from '../ui/part'
import { useKeys } from '../ui/use-keys'
import { type CallLater, chosen, waysIn } from './call-later'
import type { Foreseen } from './use-called-again'
import style from './callback.module.css'

// The calendar is a third of what the desk would fetch at its start.
const MomentInput = part(async () => ({ default: (await import('../ui/moment-input')).MomentInput }))

interface Props {
  callLater: CallLater
  round: Round | undefined
  foreseen: Foreseen
  onChoose: (callLater: CallLater) => void
}

const FIRST_KEY = 5

/** When a citizen who is to be called again wants that: the own place is kept meanwhile. */
export function CallLaterChoice({ callLater, round, foreseen, onChoose }: Props) {
  const { text, format } = useLanguage()
  const words = text.callLater
  const now = serverNow()
  const ways = waysIn(round, now)
  const choose = (way: CallLater['way']) => onChoose(chosen(callLater, way, now))
  const keyOf = (index: number) => String((FIRST_KEY + index) % 10)
  const agree = foreseen.data?.quiet ? () => onChoose({ ...callLater, agreed: !callLater.agreed }) : undefined
  useKeys({ ...Object.fromEntries(ways.map((way, index) => [keyOf(index), () => choose(way)])), [KEY.agreed]: agree })

  return (
    <div className={style.callLater} role="group" aria-label={words.title}>
      <strong>{words.title}</strong>
      <div className={style.choices}>
        {ways.map((way, index) => (
          <Button
            key={way} classNames={{ root: style.choice, label: style.choiceLabel }} size="xs" variant={way === callLater.way ? 'filled' : 'default'} aria-pressed={way === callLater.way} data-testid={`call-later-${way}`}
            aria-keyshortcuts={keyOf(index)} onClick={() => choose(way)} rightSection={<Key>{format.digits(keyOf(index))}</Key>}
          >
            {words[way]}
          </Button>
        ))}
      </div>
      {callLater.way === 'time' && callLater.time && (
        <Suspense>
          <MomentInput label={words.day} value={callLater.time} testId="call-later-moment" onChange={(time) => onChoose({ way: 'time', time })} />
        </Suspense>
      )}
      {agree && (
        <Checkbox
          label={<>{words.agreed} <Key>{KEY.agreed}</Key></>} checked={callLater.agreed ?? false} data-testid="call-later-agreed"
          aria-keyshortcuts={KEY.agreed} onChange={agree}
        />
      )}
      <CalledAgain foreseen={foreseen} agreed={callLater.agreed ?? false} />
    </div>
  )
}

/** What the server says of it, before anything is saved. */
function CalledAgain({ foreseen: { data, error }, agreed }: { foreseen: Foreseen; agreed: boolean }) {
  const { text, format } = useLanguage()
  const words = text.callLater
  const when = data?.at ? format.moment(data.at) : null
  const said = () => {
    if (error) return problemText(text, error)
    if (!data) return words.asking
    if (data.because === 'past-end') return when ? words.nextRound(when) : words.pastEnd
    if (!when) return words.asking
    if (data.because === 'quiet-hours') return words.quiet(when)
    return data.quiet && agreed ? words.agreedHelp(when) : words.at(when)
  }
  return (
    <p role="status" data-testid="call-later-help" data-because={data?.because} data-at={data?.at ?? undefined} data-quiet={data?.quiet}>{said()}</p>
  )
}
