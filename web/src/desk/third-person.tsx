import { useMediaQuery } from '@mantine/hooks'
import { Suspense } from 'react'
import type { Callback } from '../api/types'
import { part } from '../ui/part'
import { HoldButton } from './hold-button'
import style from './transfer.module.css'

const TransferControl = part(() => import('./transfer-control'))
const GuestControl = part(() => import('./guest-control'))

export const fetchThirdPerson = () => Promise.all([TransferControl.fetchAhead(), GuestControl.fetchAhead()])

interface Props {
  callback: Callback
  small?: boolean
  /** Whether giving the conversation stands at the thumb instead. */
  apart?: boolean
}

/** A third person in a conversation, and another desk for it; fetched once there is one, nothing where nobody speaks. */
export function ThirdPerson({ callback, small = false, apart = false }: Props) {
  const speaks = callback.state === 'talking' || waits(callback)
  return speaks && (
    <Suspense>
      <GuestControl key={`guest ${String(callback.id)}`} callback={callback} small={small} />
      {!apart && <TransferControl key={`transfer ${String(callback.id)}`} callback={callback} small={small} />}
    </Suspense>
  )
}

/** While the citizen waits: back to them, or they go to another desk. */
export const AtThumb = ({ callback }: { callback: Callback }) => (
  <div className={style.waits} data-testid="at-thumb">
    <HoldButton callback={callback} />
    <Suspense><TransferControl key={callback.id} callback={callback} small={false} thumb /></Suspense>
  </div>
)

const waits = ({ state, on_hold_at }: Callback) => state === 'held' && on_hold_at !== null

/** Whether what is done while the citizen waits stands at the thumb: on a telephone. */
export function useAtThumb(callback: Callback | null): boolean {
  const onPhone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  return onPhone && callback !== null && waits(callback)
}
