import { Button } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useActions } from '../callbacks/use-actions'
import { useKeys } from '../ui/use-keys'
import { putOnHold, resume } from './queries'

/** Asks the citizen to wait, with music, and goes back to them. Nothing where nobody speaks. */
export function HoldButton({ callback, small = false }: { callback: Callback; small?: boolean }) {
  const { text } = useLanguage()
  const { id, state, on_hold_at } = callback
  const { error, pending, may } = useActions(id)
  const waits = state === 'held' && on_hold_at !== null
  const act = may(state === 'talking' || waits, 'hold', () => (waits ? resume(id) : putOnHold(id)))
  useKeys({ [KEY.hold]: act })
  if (state !== 'talking' && !waits) return null
  return (
    <>
      <Button
        variant={waits ? 'filled' : 'default'} size={small ? 'sm' : 'md'} aria-pressed={waits} loading={pending !== null} onClick={act} data-testid="hold"
        rightSection={!small && <Key>{KEY.hold}</Key>}
        leftSection={waits ? <IconPlayerPlay aria-hidden size={18} /> : <IconPlayerPause aria-hidden size={18} />}
      >
        {waits ? text.hold.resume : text.hold.hold}
      </Button>
      <ErrorNotice error={error} />
    </>
  )
}
