import { Button, Paper } from '@mantine/core'
import type { Me } from '../../api/calls'
import { useLanguage } from '../../language/language'
import { LevelMeter } from '../../phone/level-meter'
import type { RoomPhone } from '../../phone/room-phone'
import { useStore } from '../../phone/store'
import style from './phone-panel.module.css'

type DeskOfMine = NonNullable<Me['desk']>

/** What a SIP telephone of a desk dials to come into its room. */
const ROOM_EXTENSION = '1'

export function PhonePanel({ desk, phone }: { desk: DeskOfMine; phone: RoomPhone }) {
  return desk.phone === 'sip' ? <SipPhone desk={desk} /> : <BrowserPhone desk={desk} phone={phone} />
}

function SipPhone({ desk }: { desk: DeskOfMine }) {
  const { text, format } = useLanguage()
  return (
    <Panel state={desk.phone_connected ? 'connected' : 'disconnected'}>
      {!desk.phone_connected && <p className={style.help}>{text.deskPhone.sipHelp(format.digits(ROOM_EXTENSION))}</p>}
    </Panel>
  )
}

function BrowserPhone({ desk, phone }: { desk: DeskOfMine; phone: RoomPhone }) {
  const { text } = useLanguage()
  const { state, problem, muted, microphone, speaker } = useStore(phone.status)
  const off = state === 'disconnected'
  return (
    <Panel
      state={state}
      buttons={
        <>
          {off && <Button onClick={() => void phone.connect()} data-testid="phone-connect">{text.deskPhone.connect}</Button>}
          {state === 'connected' && (
            <Button
              variant={muted ? 'filled' : 'default'} color="brick" aria-pressed={muted} data-testid="phone-mute"
              onClick={() => phone.mute(!muted)}
            >
              {muted ? text.deskPhone.unmute : text.deskPhone.mute}
            </Button>
          )}
          {!off && (
            <Button variant="subtle" c="var(--ink-soft)" color="gray" onClick={() => phone.disconnect()} data-testid="phone-disconnect">
              {text.deskPhone.disconnect}
            </Button>
          )}
        </>
      }
    >
      {problem && <p className={style.problem} role="alert">{text.phoneProblem[problem]}</p>}
      {off && desk.phone_connected && <p className={style.help}>{text.deskPhone.elsewhere}</p>}
      {state === 'connected' && (
        <div className={style.meters}>
          <LevelMeter stream={microphone} label={text.deskPhone.yourVoice} />
          <LevelMeter stream={speaker} label={text.deskPhone.theirVoice} />
        </div>
      )}
    </Panel>
  )
}

interface PanelProps {
  state: 'disconnected' | 'connecting' | 'connected'
  buttons?: React.ReactNode
  children?: React.ReactNode
}

function Panel({ state, buttons, children }: PanelProps) {
  const { text } = useLanguage()
  return (
    <Paper className={style.panel} withBorder component="section" aria-label={text.deskPhone.title}>
      <div className={style.top}>
        <div className={style.state} role="status" data-testid="phone-state" data-state={state}>
          <span className={style.dot} aria-hidden />
          {text.deskPhone.title}: <strong>{text.deskPhone[state]}</strong>
        </div>
        <div className={style.buttons}>{buttons}</div>
      </div>
      {children}
    </Paper>
  )
}
