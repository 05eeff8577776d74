import { Button, Paper } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Desk } from '../api/types'
import { useLanguage } from '../language/language'
import type { RoomPhone, RoomStatus } from '../phone/room-phone'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import { BreakChoice } from './break-choice'
import { PhoneSettings } from './phone-settings'
import style from './phone-panel.module.css'

interface PanelProps {
  desk: Desk
  state: RoomStatus['state']
  phone: RoomPhone
  /** Beside how it stands. */
  beside?: ReactNode
  buttons?: ReactNode
  children?: ReactNode
}

/** What every kind of desk's phone shows: how it stands, what can be done, and its settings. */
export function Panel({ desk, state, phone, beside, buttons, children }: PanelProps) {
  const { text } = useLanguage()
  const [settings, setSettings] = useState(false)
  useKeys({ [KEY.phone]: () => setSettings(true) })
  return (
    <Paper className={style.panel} withBorder component="section" aria-label={text.deskPhone.title}>
      <div className={style.top}>
        <div className={style.state}>
          <div className={style.state} role="status" data-testid="phone-state" data-state={state}>
            <span className={style.dot} aria-hidden />
            {text.deskPhone.title}: <strong>{text.deskPhone[state]}</strong>
          </div>
          {beside}
        </div>
        <div className={style.buttons}>
          <BreakChoice desk={desk} />
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
