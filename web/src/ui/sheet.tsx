import { Suspense, type ReactNode } from 'react'
import type { LateDrawerProps } from './late-drawer'
import { part } from './part'

interface Props {
  title: ReactNode
  /** What the cross is called. */
  close: string
  onClose: () => void
  /** Opened beside a call, over which nothing stands: no modal. */
  beside?: boolean
  children: ReactNode
}

/** As large as the modal, and as late (dialog.tsx). */
const LateDrawer = part<LateDrawerProps>(() => import('./late-drawer'))

export const fetchSheets = LateDrawer.fetchAhead

const WIDTH = 'min(100%, 620px)'
/** At 1440 the call is seen whole. */
const BESIDE = 'min(100%, 590px)'

/** A form beside what it is about; on a telephone over all of it. */
export function Sheet({ title, close, onClose, beside = false, children }: Props) {
  return (
    <Suspense>
      <LateDrawer opened beside={beside} onClose={onClose} position="right" size={beside ? BESIDE : WIDTH} title={title} closeButtonProps={{ 'aria-label': close, size: 44 }}>
        {children}
      </LateDrawer>
    </Suspense>
  )
}
