import { Paper } from '@mantine/core'
import type { Callback, Round } from '../api/types'
import { GivenBy } from '../desk/given-by'
import { HeldLeft } from '../desk/held-left'
import { HoldButton } from '../desk/hold-button'
import { OnTheLine } from '../desk/on-the-line'
import { ThirdPerson } from '../desk/third-person'
import { useBegun } from '../desk/use-begun'
import { VoiceMessage } from '../desk/voice-message'
import type { Text } from '../language/fa'
import { useLanguage } from '../language/language'
import { Reason } from '../line/reason'
import { CallIcon } from '../callbacks/call-state'
import { type CallState, callStateOf } from '../callbacks/call-states'
import { Num, RunningTime } from '../ui/number'
import { OnHold } from '../callbacks/on-hold'
import type { Talk } from '../callbacks/talk'
import { useNow } from '../ui/use-now'
import { useSubject } from '../subjects/use-subject'
import { useProbablyCut } from '../phone/use-probably-cut'
import { type Time, timeOf } from './conversation-time'
import type { Serving } from './use-serving'
import style from './official.module.css'

interface Props {
  serving: Serving
  round: Round
  connected: boolean
  /** Which desk's conversation my phone is in, because it was asked there. */
  consultedBy: number | null
}

/** Where the call stands, as the other pages show it. */
const CALL: Record<Serving['state'], CallState> = {
  free: 'ready', asked: 'calling', connecting: 'calling', talking: 'talking', finishing: 'talking', held: 'held', parting: 'after', ended: 'after',
  'wrap-up': 'after', paused: 'over', over: 'over',
}

/** Who is speaking now, about what, and for how long. */
export function NowPanel({ serving, round, connected, consultedBy }: Props) {
  const { text, format } = useLanguage()
  const subject = useSubject()
  const { callback, state } = serving
  const time = timeOf(callback, round.minutes, useNow(callback?.state === 'talking' || callback?.state === 'held'))
  const begun = useBegun(round)
  const beside = callback === null && consultedBy !== null
  const cut = useProbablyCut(callback)
  const call = cut ? 'held' : callback ? callStateOf(callback) : CALL[state]
  return (
    <Paper withBorder className={style.now} data-call={call} data-state={state} data-time={time.tone} component="section">
      <div role="status" data-testid="serving-state" data-state={state} data-cut={cut}>
        <h2><CallIcon state={call} /> {beside ? text.transfer.speaksWith(format.number(consultedBy)) : cut ? text.probablyCut.word : held(serving, text)}{callback && <OnTheLine callback={callback} />}</h2>
        <p className={style.help}>{beside ? text.transfer.speaksHelp : cut ? text.probablyCut.help : help(serving, text, connected) ?? (begun ? '' : text.round.startsAt(format.moment(round.starts_at)))}</p>
        {callback && <HeldLeft callback={callback} />}
        {callback && <GivenBy callback={callback} />}
      </div>
      {callback && (
        <>
          <p className={style.subject} data-testid="subject">{subject(callback.registration.subject)}</p>
          <Citizen callback={callback} />
          <VoiceMessage registration={callback.registration} />
          {time.talk && !cut && <Timer talk={time.talk} tone={time.tone} minutes={round.minutes} />}
          <div className={style.deeds}>
            <HoldButton callback={callback} />
            <ThirdPerson callback={callback} />
          </div>
        </>
      )}
      {state === 'over' && <p className={style.help}>{text.official.overHelp(format.number(round.counts.reached))}</p>}
    </Paper>
  )
}

/** The state in a word; who is held may wait by the desk's own wish, or be on the way from another one. */
function held({ callback, state }: Serving, text: Text): string {
  if (state !== 'held' || !callback) return text.official.state[state]
  if (callback.arriving) return text.transfer.arriving
  return callback.on_hold_at ? text.hold.word : text.official.state.held
}

function help({ callback, state, over }: Serving, text: Text, connected: boolean): string | undefined {
  const words = text.official
  if (state === 'over') return ''
  if (state === 'held') return callback?.on_hold_at || callback?.arriving ? '' : text.callbackHelp.held
  if (!connected) return words.connectFirst
  if (state === 'asked') return words.askedHelp
  if (state === 'paused') return text.stage.paused
  if (state === 'ended' || state === 'parting') return over ? words.endedOverHelp : words.endedHelp
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

function Timer({ talk, tone, minutes }: { talk: Talk; tone: Time['tone']; minutes: number }) {
  const { text, format } = useLanguage()
  return (
    <div className={style.timer}>
      <div role="timer" aria-label={text.stage.timer} data-testid="timer" data-tone={tone}>
        <RunningTime>{format.duration(talk.lasted)}</RunningTime>
      </div>
      <span>{(talk.held < 1000 ? text.stage.ofMinutes : text.stage.ofMinutesBut)(format.number(minutes))} <OnHold talk={talk} /></span>
      <strong role="status">{tone === 'calm' ? '' : text.stage.time[tone]}</strong>
    </div>
  )
}
