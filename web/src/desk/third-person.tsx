import { Suspense } from 'react'
import type { Callback } from '../api/types'
import { part } from '../ui/part'

const TransferControl = part(() => import('./transfer-control'))
const GuestControl = part(() => import('./guest-control'))

/** A third person in a conversation, and another desk for it; fetched once there is one, nothing where nobody speaks. */
export function ThirdPerson({ callback, small = false }: { callback: Callback; small?: boolean }) {
  const speaks = callback.state === 'talking' || (callback.state === 'held' && callback.on_hold_at !== null)
  return speaks && (
    <Suspense>
      <GuestControl key={`guest ${String(callback.id)}`} callback={callback} small={small} />
      <TransferControl key={`transfer ${String(callback.id)}`} callback={callback} small={small} />
    </Suspense>
  )
}
