import { Button } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { Keypad } from '../phone/keypad'
import type { RoomPhone } from '../phone/room-phone'
import { Dialog } from '../ui/dialog'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import style from './phone-panel.module.css'

/** The keys of this window's phone, which is in its room: an exchange that answers asks for them. `small`: without a key of its own. */
export function KeypadButton({ phone, small = false }: { phone: RoomPhone; small?: boolean }) {
  const { text } = useLanguage()
  const [open, setOpen] = useState(false)
  const act = () => setOpen(true)
  useKeys({ [KEY.keypad]: small ? undefined : act })
  return (
    <>
      <Button
        variant="default" onClick={act} data-testid={small ? 'call-bar-keypad' : 'phone-keypad'}
        aria-keyshortcuts={small ? undefined : KEY.keypad} rightSection={!small && <Key>{KEY.keypad}</Key>}
      >
        {text.myPhone.keypad}
      </Button>
      {/* No veil: who is done with an exchange's menu ends the call, or asks to wait. */}
      <Dialog
        opened={open} onClose={() => setOpen(false)} title={text.myPhone.keypad} size="xs" closeButtonProps={{ 'aria-label': text.myPhone.close }}
        withOverlay={false} lockScroll={false} shadow="xl"
      >
        <p className={style.help}>{text.myPhone.keypadHelp}</p>
        <Keypad enabled onKey={(key) => phone.press(key)} />
      </Dialog>
    </>
  )
}
