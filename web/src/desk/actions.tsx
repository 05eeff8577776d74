import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { Command } from '../ui/command'
import { ErrorNotice } from '../ui/error-notice'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import { AtThumb, useAtThumb } from './third-person'
import type { Desk } from './use-desk'
import style from './callback.module.css'

interface Props {
  desk: Desk
  takeNext: (() => void) | undefined
  call: (() => void) | undefined
  /** A colleague speaks with this desk, which the next citizen would end: it is not what is offered first. */
  consulted: boolean
  /** What is said of them. */
  children: ReactNode
}

/** The three things a desk does, always at the same place, on a telephone at the thumb; what was refused stands with them. */
export function Actions({ desk, takeNext, call, consulted, children }: Props) {
  const { text } = useLanguage()
  const { pending } = desk
  const atThumb = useAtThumb(desk.callback)
  useKeys({ [KEY.takeNext]: takeNext, [KEY.call]: call, [KEY.hangUp]: desk.hangUp })

  return (
    <div className={style.thumb} data-testid="actions">
      {atThumb && desk.callback && <AtThumb callback={desk.callback} />}
      <div className={style.actions}>
        <Command name="take-next" letter={KEY.takeNext} act={takeNext} pending={pending} variant={consulted ? 'default' : 'filled'}>{text.desk.takeNext}</Command>
        <Command name="call" letter={KEY.call} act={call} pending={pending}>{text.desk.call}</Command>
        <Command name="hangup" letter={KEY.hangUp} act={desk.hangUp} pending={pending} ends>{text.desk.hangUp}</Command>
      </div>
      <ErrorNotice error={desk.error} />
      <div role="status" className="live">{children}</div>
    </div>
  )
}
