import { Drawer } from '@mantine/core'
import type { ReactNode } from 'react'

interface Props {
  title: ReactNode
  /** What the cross is called. */
  close: string
  onClose: () => void
  children: ReactNode
}

const WIDTH = 'min(100%, 620px)'

/** A form beside what it is about; on a telephone over all of it. */
export function Sheet({ title, close, onClose, children }: Props) {
  return (
    <Drawer opened onClose={onClose} position="right" size={WIDTH} title={title} closeButtonProps={{ 'aria-label': close }}>
      {children}
    </Drawer>
  )
}
