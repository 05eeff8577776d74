import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import type { Desk } from '../api/types'
import { useLanguage } from '../language/language'
import type { RoomPhone } from '../phone/room-phone'
import { ErrorNotice } from '../ui/error-notice'
import { BrowserPhone } from './browser-phone'
import { Panel } from './panel'
import { callMyTelephone, usePhoneChoice } from './queries'
import style from './phone-panel.module.css'

/** What a SIP telephone of a desk dials to come into its room. */
const ROOM_EXTENSION = '1'

export function PhonePanel({ desk, phone }: { desk: Desk; phone: RoomPhone }) {
  return desk.phone === 'sip' ? <OtherPhone desk={desk} phone={phone} /> : <BrowserPhone desk={desk} phone={phone} />
}

/** A SIP phone, which dials in itself, or a telephone, which is called. */
function OtherPhone({ desk, phone }: { desk: Desk; phone: RoomPhone }) {
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
      desk={desk}
      state={away ? (mine?.called ? 'connecting' : 'disconnected') : 'connected'} phone={phone}
      buttons={away && telephone && (
        <Button onClick={() => call.mutate()} disabled={!mine?.has_pin || mine.called} loading={call.isPending} data-testid="call-my-telephone">
          {text.myPhone.callMe}
        </Button>
      )}
    >
      <ErrorNotice error={call.error} />
      {away && mine && (
        <p className={style.help}>
          {telephone === null && text.deskPhone.sipHelp(format.digits(ROOM_EXTENSION))}
          {telephone !== null && (mine.called ? text.myPhone.calling(telephone) : mine.has_pin ? text.myPhone.callHelp(telephone) : text.myPhone.noPin)}
        </p>
      )}
    </Panel>
  )
}
