import { Button, Group, NativeSelect, Radio, Stack, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { keys } from '../api/keys'
import { useLanguage } from '../language/language'
import { keepDevice, keptDevice, useDevices, type Kind } from '../phone/devices'
import { PhoneCheck } from '../phone/quality-parts'
import { shortRing } from '../phone/ring'
import type { RoomPhone } from '../phone/room-phone'
import { Dialog } from '../ui/dialog'
import { ErrorNotice } from '../ui/error-notice'
import { Latin, Num } from '../ui/number'
import { useFields } from '../ui/use-fields'
import { choosePhone, showSipAccount, usePhoneChoice, type PhoneChoice, type SipAccount } from './queries'
import style from './phone-panel.module.css'

type Use = PhoneChoice['use']
const USES: Use[] = ['browser', 'sip', 'number']

/** Which phone the desk has, and by which devices the browser's one speaks and hears. */
export function PhoneSettings({ phone, onClose }: { phone: RoomPhone; onClose: () => void }) {
  const { text } = useLanguage()
  const choice = usePhoneChoice()
  return (
    <Dialog opened onClose={onClose} title={text.myPhone.settings} closeButtonProps={{ 'aria-label': text.myPhone.close }}>
      <Stack gap="lg">
        <ErrorNotice error={choice.error} />
        {choice.data && <MyPhone now={choice.data} phone={phone} />}
        {choice.data?.use === 'browser' && <Devices phone={phone} />}
        {choice.data && <PhoneCheck phone={phone} inBrowser={choice.data.use === 'browser'} />}
        <Notifications />
      </Stack>
    </Dialog>
  )
}

/** Asked where it is of use, never by itself: a browser that was asked too early says no for good. */
function Notifications() {
  const { text } = useLanguage()
  const words = text.myPhone
  const [permission, setPermission] = useState(() => ('Notification' in window ? Notification.permission : 'denied'))
  return (
    <div data-testid="notifications" data-permission={permission}>
      <p className={style.help}>{permission === 'default' ? words.notifyHelp : words.notify[permission]}</p>
      {permission === 'default' && (
        <Button mt="xs" variant="default" onClick={() => void Notification.requestPermission().then(setPermission)} data-testid="allow-notifications">
          {words.allowNotify}
        </Button>
      )}
    </div>
  )
}

function MyPhone({ now, phone }: { now: { use: Use; number: string | null; has_pin: boolean }; phone: RoomPhone }) {
  const { text, format } = useLanguage()
  const words = text.myPhone
  const queries = useQueryClient()
  const [use, setUse] = useState(now.use)
  const [number, setNumber] = useState(now.number ?? '')
  const changed = use !== now.use || (use === 'number' && number !== now.number)
  const save = useMutation({
    mutationFn: () => choosePhone({ use, number: use === 'number' ? number : null }),
    onSuccess: () => {
      if (use !== 'browser') phone.disconnect()
      return queries.invalidateQueries({ queryKey: keys.me })
    },
  })
  const { at, rest, send } = useFields({ number: use === 'number' ? !number.trim() && text.fields.missing : undefined }, save.error)
  return (
    <Stack gap="sm">
      <Radio.Group label={words.title} value={use} onChange={(value) => setUse(value)}>
        <Stack gap="xs" mt="xs">
          {USES.map((one) => <Radio key={one} value={one} label={words.use[one]} data-testid={`use-${one}`} />)}
        </Stack>
      </Radio.Group>
      {use === 'number' && (
        <>
          <TextInput
            {...at('number')} label={words.number} description={words.numberHelp} value={format.digits(number)} maxLength={40} inputMode="tel" dir="auto"
            data-testid="phone-number" onChange={(event) => setNumber(event.currentTarget.value)}
          />
          {!now.has_pin && <p className={style.problem} data-testid="no-pin">{words.noPin}</p>}
        </>
      )}
      <ErrorNotice error={rest} />
      {changed && <Group><Button onClick={() => send(save.mutate)} loading={save.isPending} data-testid="save-phone">{words.save}</Button></Group>}
      {use === 'sip' && <Account />}
    </Stack>
  )
}

/** Of the desk's SIP phone; shown only when it is asked for. */
function Account() {
  const { text, format } = useLanguage()
  const words = text.myPhone
  const account = useMutation({ mutationFn: showSipAccount })
  const rows = (data: SipAccount) => [
    ...(['username', 'password', 'server'] as const).map((name) => [words[name], <Latin key={name}>{data[name]}</Latin>] as const),
    [words.dial, <Num key="dial">{format.digits(data.extension)}</Num>] as const,
  ]
  return (
    <div>
      <p className={style.help}>{words.accountHelp}</p>
      <ErrorNotice error={account.error} />
      {account.data
        ? (
          <dl className={style.account} data-testid="sip-account">
            {rows(account.data).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        )
        : <Button mt="xs" variant="default" onClick={() => account.mutate()} loading={account.isPending} data-testid="show-account">{words.account}</Button>}
    </div>
  )
}

function Devices({ phone }: { phone: RoomPhone }) {
  const { text } = useLanguage()
  return (
    <Stack gap="xs" role="group" aria-label={text.myPhone.devices}>
      <DeviceSelect kind="audioinput" label={text.myPhone.microphone} phone={phone} />
      <DeviceSelect kind="audiooutput" label={text.myPhone.loudspeaker} phone={phone} />
      <DeviceSelect kind="ring" label={text.myPhone.ring} usual={text.myPhone.asLoudspeaker} phone={phone} />
      <Group><Button variant="default" onClick={shortRing} data-testid="try-ring">{text.myPhone.tryRing}</Button></Group>
    </Stack>
  )
}

function DeviceSelect({ kind, label, usual, phone }: { kind: Kind; label: string; usual?: string; phone: RoomPhone }) {
  const { text } = useLanguage()
  const devices = useDevices(kind)
  const [chosen, setChosen] = useState(() => keptDevice(kind))
  function choose(id: string) {
    setChosen(id)
    keepDevice(kind, id)
    if (kind === 'ring') shortRing()
    else void phone.useChosenDevices()
  }
  return (
    <NativeSelect
      label={label} value={chosen} data={[{ value: '', label: usual ?? text.myPhone.usual }, ...devices]} data-testid={kind}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  )
}
