import { Suspense } from 'react'
import type { Callback } from '../api/types'
import { part } from '../ui/part'

const GuestControl = part(() => import('./guest-control'))

/** The third person of a conversation; fetched once there is one, and nothing where nobody speaks. */
export function ThirdPerson({ callback, small = false }: { callback: Callback; small?: boolean }) {
  const speaks = callback.state === 'talking' || (callback.state === 'held' && callback.on_hold_at !== null)
  return speaks && <Suspense><GuestControl key={callback.id} callback={callback} small={small} /></Suspense>
}
