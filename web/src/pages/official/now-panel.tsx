import { Paper } from '@mantine/core'
import type { Callback, Round } from '../../api/calls'
import type { Text } from '../../language/fa'
import { useLanguage } from '../../language/language'
import { Num } from '../../ui/number'
import { useSubject } from '../../ui/use-subject'
import { useNow } from '../../ui/use-now'
import { Message } from '../desk/message'
import { Reason } from '../desk/reason'
import { useBegun } from '../desk/use-begun'
import type { Serving } from './use-serving'
import style from './official.module.css'

/** So long before the agreed minutes are over the page says so. */
const SOON = 30_000

interface Props {
  serving: Serving
  round: Round
  connected: boolean
}

/** Who is speaking now, about what, and for how long. */
export function NowPanel({ serving, round, connected }: Props) {
  const { text, format } = useLanguage()
  const subject = useSubject()
  const { callback, state } = serving
  const time = useTime(callback, round.minutes)
  const begun = useBegun(round)
  return (
    <Paper withBorder className={style.now} data-state={state} data-time={time.tone} component="section">
      <div role="status" data-testid="serving-state" data-state={state}>
        <h2>{text.official.state[state]}</h2>
        <p className={style.help}>{help(serving, text, connected) ?? (begun ? '' : text.round.startsAt(format.moment(round.starts_at)))}</p>
      </div>
      {callback && (
        <>
          <p className={style.subject} data-testid="subject">{subject(callback.registration.subject)}</p>
          <Citizen callback={callback} />
          <Message registration={callback.registration} />
          {callback.talking_at && <Timer time={time} minutes={round.minutes} />}
        </>
      )}
      {state === 'over' && <p className={style.help}>{text.official.overHelp(format.number(round.counts.reached))}</p>}
    </Paper>
  )
}

function help({ state, over }: Serving, text: Text, connected: boolean): string | undefined {
  const words = text.official
  if (state === 'over') return ''
  if (!connected) return words.connectFirst
  if (state === 'asked') return words.askedHelp
  if (state === 'paused') return text.stage.paused
  if (state === 'ended') return over ? words.endedOverHelp : words.endedHelp
  return state === 'talking' || state === 'finishing' || state === 'connecting' ? '' : undefined
}

function Citizen({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const { registration } = callback
  return (
    <p className={style.citizen}>
      <span>{text.line.ticket} <Num>{format.ticket(registration.ticket)}</Num></span>
      <Num data-number={registration.number}>{format.phone(registration.number)}</Num>
      <Reason registration={registration} />
    </p>
  )
}

type Tone = 'calm' | 'soon' | 'late'
interface Time { spent: number; tone: Tone }

/** How long the conversation has lasted, and whether the agreed minutes are nearly or all gone. */
function useTime(callback: Callback | null, minutes: number): Time {
  const over = callback?.state === 'ended'
  const now = useNow(callback?.state === 'talking')
  if (!callback?.talking_at) return { spent: 0, tone: 'calm' }
  const until = over && callback.ended_at ? Date.parse(callback.ended_at) : now
  const spent = until - Date.parse(callback.talking_at)
  const left = minutes * 60_000 - spent
  if (over || left > SOON) return { spent, tone: 'calm' }
  return { spent, tone: left > 0 ? 'soon' : 'late' }
}

function Timer({ time, minutes }: { time: Time; minutes: number }) {
  const { text, format } = useLanguage()
  return (
    <div className={style.timer}>
      <div role="timer" aria-label={text.stage.timer} data-testid="timer" data-tone={time.tone}>
        <Num>{format.duration(time.spent)}</Num>
      </div>
      <span>{text.stage.ofMinutes(format.number(minutes))}</span>
      <strong role="status">{time.tone === 'calm' ? '' : text.stage.time[time.tone]}</strong>
    </div>
  )
}
