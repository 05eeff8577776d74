import { Button } from '@mantine/core'
import { useMe } from '../api/session'
import type { Desk } from '../api/types'
import { useLanguage } from '../language/language'
import { pages } from '../pages'
import { LevelMeter } from '../phone/level-meter'
import { QualityIcon, QualityWarning } from '../phone/quality-parts'
import type { RoomPhone } from '../phone/room-phone'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useStore } from '../ui/store'
import { useKeys } from '../ui/use-keys'
import { KeypadButton } from './keypad-button'
import { MicrophoneLoss } from './microphone-loss'
import { Panel } from './panel'
import style from './phone-panel.module.css'

/** The desk's phone in this window. It is connected when both say so: the window, and the server, which hears it. */
export function BrowserPhone({ desk, phone }: { desk: Desk; phone: RoomPhone }) {
  const { text } = useLanguage()
  const { state, problem, speaker, where } = useStore(phone.status)
  const { stream, muted } = useStore(phone.microphone.status)
  const talking = useMe().data?.callback?.state === 'talking'
  const off = state === 'disconnected'
  const inRoom = state === 'connected'
  const on = inRoom && desk.phone_connected
  const elsewhere = state === 'elsewhere'
  useKeys({ [KEY.mute]: on ? () => phone.microphone.mute(!muted) : undefined })
  return (
    <Panel
      desk={desk}
      state={inRoom && !on ? 'connecting' : state} phone={phone} beside={on && <QualityIcon phone={phone} />}
      buttons={
        <>
          {off && <Button onClick={() => void phone.connect()} data-testid="phone-connect">{text.deskPhone.connect}</Button>}
          {elsewhere && <Button onClick={() => void phone.connect({ here: true })} data-testid="phone-here">{text.deskPhone.here}</Button>}
          {on && (
            <>
              <Button
                variant={muted ? 'filled' : 'default'} color="brick" aria-pressed={muted} data-testid="phone-mute"
                onClick={() => phone.microphone.mute(!muted)} aria-keyshortcuts={KEY.mute} rightSection={<Key>{KEY.mute}</Key>}
              >
                {muted ? text.deskPhone.unmute : text.deskPhone.mute}
              </Button>
              <KeypadButton phone={phone} />
            </>
          )}
          {!off && !elsewhere && (
            <Button variant="subtle" c="var(--ink-soft)" color="gray" onClick={() => phone.disconnect()} data-testid="phone-disconnect">
              {text.deskPhone.disconnect}
            </Button>
          )}
        </>
      }
    >
      <MicrophoneLoss microphone={phone.microphone} />
      {on && <QualityWarning phone={phone} talking={talking} />}
      {problem && <p className={style.problem} role="alert">{text.phoneProblem[problem]}</p>}
      {inRoom && !on && <p className={style.help} role="status">{text.deskPhone.unheard}</p>}
      {off && desk.phone_connected && <p className={style.help}>{text.deskPhone.otherComputer}</p>}
      {elsewhere && (
        <p className={style.help} role="status" data-testid="phone-elsewhere">
          {text.deskPhone.elsewhereHelp(pages.find(({ name }) => `/${name}` === where)?.title(text) ?? '')}
        </p>
      )}
      {on && (
        <div className={style.meters}>
          <LevelMeter stream={stream} label={text.deskPhone.yourVoice} />
          <LevelMeter stream={speaker} label={text.deskPhone.theirVoice} />
        </div>
      )}
    </Panel>
  )
}
