import type { ReactNode } from 'react'
import style from './tag.module.css'

interface Props {
  tone: 'now' | 'carried' | 'tried' | 'later'
  title?: string
  children: ReactNode
}

/** A word or two about a row. */
export function Tag({ tone, title, children }: Props) {
  return <span className={style.tag} data-tone={tone} title={title}>{children}</span>
}
