import { Kbd } from '@mantine/core'
import style from './key.module.css'

interface Props {
  large?: boolean
  /** Also where there is little room, and to be read aloud. */
  shown?: boolean
  children: string
}

/** The key that does the same as the button it stands in; where there is no room, none. */
export function Key({ large = false, shown = false, children }: Props) {
  const names = [style.key, large && style.large, shown && style.shown].filter(Boolean)
  return <Kbd className={names.join(' ')} aria-hidden={!shown} dir="ltr">{children}</Kbd>
}
