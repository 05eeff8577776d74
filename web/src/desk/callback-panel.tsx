import { Paper } from '@mantine/core'
import { useEffect } from 'react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { Reason } from '../line/reason'
import { useProbablyCut } from '../phone/use-probably-cut'
import { ReferButton } from '../requests/refer-button'
import { CallIcon } from '../callbacks/call-state'
import { callStateOf } from '../callbacks/call-states'
import { Num, RunningTime } from '../ui/number'
import { OnHold } from '../callbacks/on-hold'
import { talkOf } from '../callbacks/talk'
import { useNow } from '../ui/use-now'
import { useSubject } from '../subjects/use-subject'
import { Whole } from '../ui/whole'
import { GivenBy } from './given-by'
import { HeldLeft } from './held-left'
import { HoldButton } from './hold-button'
import { History } from './history'
import { draftOf } from './note-drafts'
import { OnTheLine } from './on-the-line'
import { OutcomeForm } from './outcome-form'
import type { Desk } from './use-desk'
import { letGo, stateWord } from './state-word'
import { ThirdPerson, useAtThumb } from './third-person'
import { ThreatButton } from './threat-button'
import { VoiceMessage } from './voice-message'
import style from './callback.module.css'

/** The citizen this desk holds, and where the call to them stands, in big words. */
export function CallbackPanel({ callback, desk }: { callback: Callback; desk: Desk }) {
  const { text, format } = useLanguage()
  const subjectOf = useSubject()
  const atThumb = useAtThumb(callback)
  const { registration, state, outcome } = callback
  const cut = useProbablyCut(callback)
  const word = cut ? text.probablyCut.word : state === 'closed' && outcome ? text.outcome[outcome] : stateWord(text, callback)
  const call = cut ? 'held' : callStateOf(callback)
  const staying = callback.on_the_line && state !== 'closed'
  const usual = callback.on_hold_at || callback.arriving || letGo(callback) ? '' : text.callbackHelp[state]
  const help = cut ? text.probablyCut.help : staying && state in text.live.help ? text.live.help[state as keyof typeof text.live.help] : usual

  useEffect(() => {
    document.title = `${word} · ${text.brandNumber}`
  }, [word, text])

  return (
    <>
      <Paper className={style.panel} withBorder data-call={call}>
        <div className={style.state} role="status" data-testid="callback-state" data-state={state} data-cut={cut} data-outcome={outcome ?? ''}>
          <h2><CallIcon state={call} /> {word}<OnTheLine callback={callback} /></h2>
          {help && <p>{help}</p>}
        </div>
        <GivenBy callback={callback} />
        <HeldLeft callback={callback} />
        {!cut && <Timer callback={callback} />}
        <div className={style.deeds}>
          {!atThumb && <HoldButton callback={callback} />}
          <ThirdPerson callback={callback} apart={atThumb} />
        </div>
        <dl className={style.citizen}>
          <div>
            <dt>{text.line.number}</dt>
            <dd className={style.phone}><Num data-number={registration.number}>{format.phone(registration.number)}</Num></dd>
          </div>
          <div>
            <dt>{text.line.ticket}</dt>
            <dd><Num>{format.ticket(registration.ticket)}</Num></dd>
          </div>
          <div>
            <dt>{text.subjectName}</dt>
            <dd>{subjectOf(registration.subject)}</dd>
          </div>
          <div>
            <dt>{text.line.since}</dt>
            <dd>{format.moment(registration.registered_at)}</dd>
          </div>
        </dl>
        <div className={style.reason}><Reason registration={registration} /></div>
        {state !== 'closed' && <VoiceMessage registration={registration} />}
        {callback.talking_at && <ThreatButton callback={callback} />}
      </Paper>
      <OutcomeForm callback={callback} desk={desk} />
      <Whole className={style.after}>
        <ReferButton registration={registration} noteSoFar={() => draftOf(desk.id, callback.id)?.note ?? ''} />
        <History callback={callback} />
      </Whole>
    </>
  )
}

function Timer({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const { called_at, state } = callback
  const over = state === 'parting' || state === 'ended' || state === 'closed'
  const now = useNow(!over && called_at !== null)
  const talk = talkOf(callback, now)
  if (!talk && (over || !called_at)) return null
  return (
    <div className={style.timer} data-talking={talk !== null}>
      <div role="timer" aria-label={text.desk.conversation}><RunningTime>{format.duration(talk ? talk.lasted : now - Date.parse(called_at ?? ''))}</RunningTime></div>
      <OnHold talk={talk} />
    </div>
  )
}
