import { Button } from '@mantine/core'
import { IconUserMinus, IconUserPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { RunningTime } from '../ui/number'
import { useActions } from '../callbacks/use-actions'
import { useKeys } from '../ui/use-keys'
import { useNow } from '../ui/use-now'
import { GuestChoice } from './guest-choice'
import { endGuest, useGuests, type Guest } from './queries'
import { useCallable } from './use-callable'
import style from './guest.module.css'

/** What became of a third person is no news any more. */
const SAID_FOR = 60_000

/** Calls a third person into the conversation, shows how far they have come, and ends their part. */
export default function GuestControl({ callback, small }: { callback: Callback; small: boolean }) {
  const { text } = useLanguage()
  const words = text.guest
  const { error, pending, may } = useActions()
  const [open, setOpen] = useState(false)
  const { data, error: unread } = useGuests(callback.id)
  const guest = data?.[0]
  const there = guest !== undefined && guest.ended_at === null
  const end = may(there && !guest.ending, 'guest', () => endGuest(callback.id, guest?.id ?? 0))
  const act = there ? end : () => setOpen(true)
  useKeys({ [KEY.guest]: act })
  return (
    <div className={style.guest} data-testid="guest" data-state={guest?.state ?? 'none'}>
      <Button
        variant={there ? 'filled' : 'default'} size={small ? 'sm' : 'md'} disabled={!act} loading={pending !== null} onClick={act} data-testid={there ? 'guest-end' : 'guest-ask'}
        aria-keyshortcuts={KEY.guest} rightSection={!small && <Key>{KEY.guest}</Key>}
        leftSection={there ? <IconUserMinus aria-hidden size={18} /> : <IconUserPlus aria-hidden size={18} />}
      >
        {there ? (guest.ending ? words.ending : words.end) : words.ask}
      </Button>
      <span role="status" className={style.state} data-testid="guest-state">{guest && <State guest={guest} />}</span>
      <ErrorNotice error={error ?? unread} />
      {open && <GuestChoice callback={callback} onClose={() => setOpen(false)} />}
    </div>
  )
}

function State({ guest }: { guest: Guest }) {
  const language = useLanguage()
  const { text, format } = language
  const { data } = useCallable()
  const whom = data?.find(({ department_id, official_id }) => department_id === guest.department_id && official_id === guest.official_id)
  const now = useNow(guest.state === 'talking' || guest.ended_at !== null)
  if (guest.ended_at !== null && now - Date.parse(guest.ended_at) > SAID_FOR) return null
  return (
    <>
      <bdi>{whom ? language.name(whom) : format.phone(guest.number)}</bdi>{': '}
      {guest.ended_by ? text.guest.endedBy[guest.ended_by] : text.guest.state[guest.state]}
      {guest.state === 'talking' && guest.talking_at && <> <RunningTime>{format.duration(now - Date.parse(guest.talking_at))}</RunningTime></>}
    </>
  )
}
