import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Command } from '../ui/command'
import { ErrorNotice } from '../ui/error-notice'
import { KEY } from '../ui/keys'
import { Notice } from '../ui/notice'
import { useActions } from '../ui/use-actions'
import { useKeys } from '../ui/use-keys'
import { useSecondsLeft } from '../ui/use-seconds-left'
import { callAgain, undoEnd } from './queries'
import style from './after-all.module.css'

/** A conversation that was not to be over: ended by mistake, or cut off by our own side. */
export function AfterAll({ me }: { me: Me }) {
  const { text, format } = useLanguage()
  const { error, pending, may } = useActions()
  const { desk, callback, parting, cut_off: cutOff } = me
  const left = useSecondsLeft(parting?.parting_until)
  const undo = may(parting !== null && left > 0, 'undo', () => undoEnd(parting?.id ?? 0))
  const isFree = callback === null || callback.id === cutOff?.id
  const again = may(cutOff !== null && isFree && desk !== null && desk.phone_connected, 'call-again', () => callAgain(cutOff?.id ?? 0))
  useKeys({ [KEY.undo]: undo, [KEY.callAgain]: again })
  return (
    <>
      <div role="status" className={`live ${style.first}`}>
        {parting && left > 0 && (
          <Notice tone="warning" data-testid="parting">
            <div className={style.row}>
              <span>{text.undo.over}</span>
              <Command name="undo" letter={KEY.undo} act={undo} pending={pending}>{text.undo.undo(format.number(left))}</Command>
            </div>
          </Notice>
        )}
        {cutOff && isFree && (
          <Notice tone="warning" data-testid="cut-off">
            <div className={style.row}>
              <span>{text.cutOff.place(format.ticket(cutOff.registration.ticket))}</span>
              <Command name="call-again" letter={KEY.callAgain} act={again} pending={pending}>{text.cutOff.again}</Command>
            </div>
          </Notice>
        )}
      </div>
      <ErrorNotice error={error} />
    </>
  )
}
