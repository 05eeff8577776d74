import { Kbd } from '@mantine/core'
import style from './key.module.css'

/** The key that does the same as the button it stands in; where there is no room, none. */
export function Key({ large = false, children }: { large?: boolean; children: string }) {
  return <Kbd className={large ? `${style.key} ${style.large}` : style.key} aria-hidden>{children}</Kbd>
}
