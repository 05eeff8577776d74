import type { DrawerProps } from '@mantine/core'
import { Suspense, type ReactNode } from 'react'
import { part } from './part'

interface Props {
  title: ReactNode
  /** What the cross is called. */
  close: string
  onClose: () => void
  children: ReactNode
}

/** As large as the modal, and as late (dialog.tsx). */
const LateDrawer = part<DrawerProps>(() => import('./late-drawer'))

export const fetchSheets = LateDrawer.fetchAhead

const WIDTH = 'min(100%, 620px)'

/** A form beside what it is about; on a telephone over all of it. */
export function Sheet({ title, close, onClose, children }: Props) {
  return (
    <Suspense>
      <LateDrawer opened onClose={onClose} position="right" size={WIDTH} title={title} closeButtonProps={{ 'aria-label': close, size: 44 }}>
        {children}
      </LateDrawer>
    </Suspense>
  )
}
