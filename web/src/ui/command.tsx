import { Button } from '@mantine/core'
import { Key } from './key'
import style from './command.module.css'

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
  children: string
}

/** A button that is a key, too. */
export function Command({ name, letter, act, pending, large = false, variant = 'filled', color, children }: Props) {
  const busy = pending === name
  return (
    <Button
      className={large ? style.large : undefined} classNames={{ label: style.label }} size={large ? 'xl' : 'lg'} variant={variant} color={color}
      data-testid={name} disabled={!act && !busy} loading={busy} onClick={act} aria-keyshortcuts={letter}
      rightSection={letter && <Key large={large}>{letter}</Key>}
    >
      {children}
    </Button>
  )
}
