import type { ReactNode } from 'react'
import style from './tag.module.css'

interface Props {
  tone: 'accent' | 'good' | 'apart' | 'quiet' | 'warning'
  children: ReactNode
}

/** A word or two about a row. */
export function Tag({ tone, children }: Props) {
  return <span className={style.tag} data-tone={tone}>{children}</span>
}
