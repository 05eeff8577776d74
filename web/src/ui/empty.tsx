import type { ReactNode } from 'react'
import style from './empty.module.css'

interface Props {
  /** What there is not. */
  children: string
  /** What brings something here. */
  action?: ReactNode
  'data-testid'?: string
}

/** Where a list would be, if there were anything in it. */
export function Empty({ children, action, ...rest }: Props) {
  return (
    <div className={style.empty}>
      <p role="status" {...rest}>{children}</p>
      {action}
    </div>
  )
}
