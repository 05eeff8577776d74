import { Button, Modal, Paper } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Me } from '../../api/calls'
import { callMyTelephone, usePhoneChoice } from '../../api/desk'
import { keys } from '../../api/queries'
import { useLanguage } from '../../language/language'
import { LevelMeter } from '../../phone/level-meter'
import type { RoomPhone } from '../../phone/room-phone'
import { useStore } from '../../phone/store'
import { Complaint } from '../../ui/complaint'
import { Key } from '../../ui/key'
import { KEY } from '../../ui/keys'
import { useKeys } from '../../ui/use-keys'
import { Keypad } from '../phone/keypad'
import { PhoneSettings } from './phone-settings'
import style from './phone-panel.module.css'

type DeskOfMine = NonNullable<Me['desk']>

/** What a SIP telephone of a desk dials to come into its room. */
const ROOM_EXTENSION = '1'

export function PhonePanel({ desk, phone }: { desk: DeskOfMine; phone: RoomPhone }) {
  return desk.phone === 'sip' ? <OtherPhone desk={desk} phone={phone} /> : <BrowserPhone desk={desk} phone={phone} />
}

/** A SIP phone, which dials in itself, or a telephone, which is called. */
function OtherPhone({ desk, phone }: { desk: DeskOfMine; phone: RoomPhone }) {
  const { text, format } = useLanguage()
  const { data: mine } = usePhoneChoice()
  const queries = useQueryClient()
  const call = useMutation({
    mutationFn: callMyTelephone,
    onSettled: () => queries.invalidateQueries({ queryKey: keys.me }),
  })
  const away = !desk.phone_connected
  const telephone = mine?.number ? format.phone(mine.number) : null
  return (
    <Panel
      state={away ? (mine?.called ? 'connecting' : 'disconnected') : 'connected'} phone={phone}
      buttons={away && telephone && (
        <Button onClick={() => call.mutate()} disabled={!mine?.has_pin || mine.called} loading={call.isPending} data-testid="call-my-telephone">
          {text.myPhone.callMe}
        </Button>
      )}
    >
      <Complaint error={call.error} />
      {away && mine && (
        <p className={style.help}>
          {telephone === null && text.deskPhone.sipHelp(format.digits(ROOM_EXTENSION))}
          {telephone !== null && (mine.called ? text.myPhone.calling(telephone) : mine.has_pin ? text.myPhone.callHelp(telephone) : text.myPhone.noPin)}
        </p>
      )}
    </Panel>
  )
}

function BrowserPhone({ desk, phone }: { desk: DeskOfMine; phone: RoomPhone }) {
  const { text } = useLanguage()
  const { state, problem, muted, microphone, speaker } = useStore(phone.status)
  const [keypad, setKeypad] = useState(false)
  const off = state === 'disconnected'
  const on = state === 'connected'
  useKeys({ [KEY.mute]: on ? () => phone.mute(!muted) : undefined, [KEY.keypad]: on ? () => setKeypad(true) : undefined })
  return (
    <Panel
      state={state} phone={phone}
      buttons={
        <>
          {off && <Button onClick={() => void phone.connect()} data-testid="phone-connect">{text.deskPhone.connect}</Button>}
          {on && (
            <>
              <Button
                variant={muted ? 'filled' : 'default'} color="brick" aria-pressed={muted} data-testid="phone-mute"
                onClick={() => phone.mute(!muted)} aria-keyshortcuts={KEY.mute} rightSection={<Key>{KEY.mute}</Key>}
              >
                {muted ? text.deskPhone.unmute : text.deskPhone.mute}
              </Button>
              <Button variant="default" onClick={() => setKeypad(true)} aria-keyshortcuts={KEY.keypad} data-testid="phone-keypad" rightSection={<Key>{KEY.keypad}</Key>}>
                {text.myPhone.keypad}
              </Button>
            </>
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
      {on && (
        <div className={style.meters}>
          <LevelMeter stream={microphone} label={text.deskPhone.yourVoice} />
          <LevelMeter stream={speaker} label={text.deskPhone.theirVoice} />
        </div>
      )}
      <Modal opened={keypad && on} onClose={() => setKeypad(false)} title={text.myPhone.keypad} size="xs" closeButtonProps={{ 'aria-label': text.myPhone.close }}>
        <p className={style.help}>{text.myPhone.keypadHelp}</p>
        <Keypad enabled={on} onKey={(key) => phone.press(key)} />
      </Modal>
    </Panel>
  )
}

interface PanelProps {
  state: 'disconnected' | 'connecting' | 'connected'
  phone: RoomPhone
  buttons?: React.ReactNode
  children?: React.ReactNode
}

function Panel({ state, phone, buttons, children }: PanelProps) {
  const { text } = useLanguage()
  const [settings, setSettings] = useState(false)
  useKeys({ [KEY.phone]: () => setSettings(true) })
  return (
    <Paper className={style.panel} withBorder component="section" aria-label={text.deskPhone.title}>
      <div className={style.top}>
        <div className={style.state} role="status" data-testid="phone-state" data-state={state}>
          <span className={style.dot} aria-hidden />
          {text.deskPhone.title}: <strong>{text.deskPhone[state]}</strong>
        </div>
        <div className={style.buttons}>
          {buttons}
          <Button
            variant="subtle" c="var(--ink-soft)" color="gray" onClick={() => setSettings(true)} aria-keyshortcuts={KEY.phone}
            data-testid="phone-settings" rightSection={<Key>{KEY.phone}</Key>}
          >
            {text.myPhone.settings}
          </Button>
        </div>
      </div>
      {children}
      {settings && <PhoneSettings phone={phone} onClose={() => setSettings(false)} />}
    </Paper>
  )
}
