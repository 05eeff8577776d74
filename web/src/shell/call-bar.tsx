import { Button } from '@mantine/core'
import { IconMicrophone, IconMicrophoneOff, IconPhoneOff } from '@tabler/icons-react'
import { Link } from 'wouter'
import type { Callback, Me } from '../api/types'
import { HoldButton } from '../desk/hold-button'
import { KeypadButton } from '../desk/keypad-button'
import { hangUp, undoEnd } from '../desk/queries'
import { stateWord } from '../desk/state-word'
import { ThirdPerson } from '../desk/third-person'
import { useLanguage } from '../language/language'
import { useDeskPhone } from '../phone/desk-phone'
import { QualityIcon, QualityWarning } from '../phone/quality-parts'
import { ErrorNotice } from '../ui/error-notice'
import { CallIcon } from '../callbacks/call-state'
import { callStateOf } from '../callbacks/call-states'
import { Num, RunningTime } from '../ui/number'
import { talkOf } from '../callbacks/talk'
import { useActions } from '../callbacks/use-actions'
import { useNow } from '../ui/use-now'
import { useSecondsLeft } from '../ui/use-seconds-left'
import { useStore } from '../ui/store'
import style from './call-bar.module.css'

/** The call, on every page that does not show it itself: who, how long, and what cannot wait for the way back. */
export function CallBar({ me, callback }: { me: Me; callback: Callback }) {
  const { text, format } = useLanguage()
  const phone = useDeskPhone()
  const { stream, muted } = useStore(phone.microphone.status)
  const inRoom = useStore(phone.status).state === 'connected' && me.desk?.phone_connected
  const { error, may } = useActions(callback.id)
  const end = may(true, 'hangup', () => hangUp(callback.id))
  const { registration, state } = callback
  const left = useSecondsLeft(callback.parting_until)
  const undo = left > 0 && may(true, 'undo', () => undoEnd(callback.id))
  const talk = talkOf(callback, useNow(callback.talking_at !== null))
  return (
    <section className={style.bar} aria-label={text.shell.call} data-testid="call-bar" data-state={state}>
      <ErrorNotice error={error} />
      <QualityWarning phone={phone} talking={state === 'talking'} />
      <div className={style.line}>
        <strong role="status" data-call={callStateOf(callback)}><CallIcon state={callStateOf(callback)} /> {stateWord(text, callback)}</strong>
        <QualityIcon phone={phone} />
        <Num data-number={registration.number}>{format.phone(registration.number)}</Num>
        {talk && <span className={style.clock}><RunningTime data-testid="call-bar-time">{format.duration(talk.lasted)}</RunningTime></span>}
        <div className={style.actions}>
          {stream && (
            <Button
              variant={muted ? 'filled' : 'default'} color="brick" aria-pressed={muted} data-testid="call-bar-mute"
              leftSection={muted ? <IconMicrophoneOff aria-hidden size={18} /> : <IconMicrophone aria-hidden size={18} />}
              onClick={() => phone.microphone.mute(!muted)}
            >
              {muted ? text.deskPhone.unmute : text.deskPhone.mute}
            </Button>
          )}
          {inRoom && <KeypadButton phone={phone} small />}
          <HoldButton callback={callback} small />
          <ThirdPerson callback={callback} small />
          {undo && <Button onClick={undo} data-testid="call-bar-undo">{text.undo.undo(format.number(left))}</Button>}
          <Button variant="default" c="brick" leftSection={<IconPhoneOff aria-hidden size={18} />} disabled={!end} onClick={end} data-testid="call-bar-hangup">
            {text.desk.hangUp}
          </Button>
          <Button component={Link} variant="default" href={me.role === 'official' ? '/official' : '/desk'} data-testid="call-bar-back">{text.shell.back}</Button>
        </div>
      </div>
    </section>
  )
}
