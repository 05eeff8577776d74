import { Button } from '@mantine/core'
import type { MouseEvent, PointerEvent } from 'react'
import { Key } from './key'
import type { Hold } from './use-hold'
import style from './command.module.css'

interface Asks {
  hold: Hold
  state: string
}

interface Props {
  name: string
  letter?: string
  /** What it does; nothing while that cannot be done. */
  act: (() => void) | undefined
  /** The name of the command under way. */
  pending: string | null
  /** To be read and hit from afar. */
  large?: boolean
  variant?: 'filled' | 'default'
  color?: string
  /** It ends something: in its colour, but never filled, which is for what leads on. */
  ends?: boolean
  /** It asks once more: to be held, or pressed twice. */
  asks?: Asks | undefined
  children: string
}

/** A button that is a key, too. */
export function Command({ name, letter, act, pending, large = false, ends = false, variant = ends ? 'default' : 'filled', color, asks, children }: Props) {
  const busy = pending === name
  const classes = [style.command, large && style.large, asks && style.holds].filter(Boolean).join(' ')
  return (
    <Button
      className={classes} classNames={{ label: style.label }} size={large ? 'xl' : 'lg'} variant={variant} color={color} {...(ends && act && { c: 'brick' })}
      data-testid={name} disabled={!act && !busy} loading={busy} {...(asks ? held(asks) : { onClick: act })} aria-keyshortcuts={letter}
      rightSection={letter && <Key large={large}>{letter}</Key>}
    >
      {children}
    </Button>
  )
}

const held = ({ state, hold: { down, up, tap } }: Asks) => ({
  'data-hold': state,
  onPointerDown: ({ button }: PointerEvent) => button === 0 && down(),
  onPointerUp: up,
  onPointerLeave: up,
  onPointerCancel: up,
  onContextMenu: (event: MouseEvent) => event.preventDefault(),
  // A pointer's click has been told already.
  onClick: ({ detail }: MouseEvent) => detail === 0 && tap(),
})
