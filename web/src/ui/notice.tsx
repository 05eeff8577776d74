import type { ReactNode } from 'react'
import style from './notice.module.css'

interface Props {
  tone: 'plain' | 'warning' | 'error'
  children: ReactNode
  role?: 'alert'
  'data-testid'?: string
}

/** A message in the flow of the page. */
export function Notice({ tone, children, ...rest }: Props) {
  return <div className={style.notice} data-tone={tone} {...rest}>{children}</div>
}
