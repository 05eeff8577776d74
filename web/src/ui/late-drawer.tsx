import { Drawer, type DrawerProps } from '@mantine/core'
import { useEffectEvent, useLayoutEffect, useRef, type ReactNode } from 'react'
import { useEscape } from './use-escape'

export interface LateDrawerProps extends DrawerProps {
  /** A call goes on: the page beside it is seen, reached and heard as before. */
  beside: boolean
}

export default function LateDrawer({ beside, children, ...props }: LateDrawerProps) {
  useEscape(props.opened, props.onClose, beside)
  if (!beside) return <Drawer {...props} closeOnEscape={false}>{children}</Drawer>
  return (
    <Drawer {...props} closeOnEscape={false} withOverlay={false} trapFocus={false} lockScroll={false} styles={{ content: { borderInlineStart: '3px solid var(--accent-line)', paddingBlockEnd: 'var(--call-bar, 0)' } }}>
      <Beside onClose={props.onClose}>{children}</Beside>
    </Drawer>
  )
}

/** What closes the one that is open. */
let closeOther: (() => void) | undefined

/** One at a time; it is no modal, says so (Mantine's drawer always is one), and begins where its person does, before it is painted. */
function Beside({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const inside = useRef<HTMLDivElement>(null)
  const close = useEffectEvent(onClose)
  useLayoutEffect(() => {
    const mine = () => close()
    closeOther?.()
    closeOther = mine
    inside.current?.closest('[role=dialog]')?.setAttribute('aria-modal', 'false')
    inside.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus({ preventScroll: true })
    return () => {
      if (closeOther === mine) closeOther = undefined
    }
  }, [])
  return <div ref={inside}>{children}</div>
}
