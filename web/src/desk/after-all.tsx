import type { Callback, Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Command } from '../ui/command'
import { ErrorNotice } from '../ui/error-notice'
import { KEY } from '../shortcuts/keys'
import { Notice } from '../ui/notice'
import { useActions } from '../callbacks/use-actions'
import { useKeys } from '../ui/use-keys'
import { useSecondsLeft } from '../ui/use-seconds-left'
import { useNow } from '../ui/use-now'
import { callAgain, takeBack, undoEnd, useGivenAway } from './queries'
import style from './after-all.module.css'

/** The way to another desk takes a second; who is longer on it may have been given to nobody. */
const SOON_THERE = 4_000

/** A conversation that was not to be over: ended by mistake, cut off by our own side, or given to a desk that is not there. */
export function AfterAll({ me }: { me: Me }) {
  const { text, format } = useLanguage()
  const { desk, callback, parting, cut_off: cutOff } = me
  const { error, pending, may } = useActions(callback?.id)
  const given = useLost(me.given_away)
  const left = useSecondsLeft(parting?.parting_until)
  const undo = may(parting !== null && left > 0, 'undo', () => undoEnd(parting?.id ?? 0))
  const isFree = callback === null || callback.id === cutOff?.id
  const again = may(cutOff !== null && isFree && desk !== null && desk.phone_connected, 'call-again', () => callAgain(cutOff?.id ?? 0))
  const back = may(given !== undefined && callback === null, 'take-back', () => takeBack(given?.id ?? 0))
  useKeys({ [KEY.undo]: undo ?? back, [KEY.callAgain]: again })
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
        {given && (
          <Notice tone="warning" data-testid="given-away">
            <div className={style.row}>
              <span>{text.givenAway.place(format.ticket(given.registration.ticket), format.number(given.desk_id ?? 0))}</span>
              <Command name="take-back" letter={KEY.undo} act={back} pending={pending}>{text.givenAway.back}</Command>
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

/** Whom I gave away and who has been on the way for too long; the server says so no more once they are there. */
function useLost(givenAway: Callback | null): Callback | undefined {
  const now = useNow(givenAway !== null)
  const given = useGivenAway(givenAway)
  const waits = givenAway !== null && given?.state === 'held' && given.on_hold_at === null && given.given_by_desk_id !== null
  return waits && now - Date.parse(given.held_at ?? '') > SOON_THERE ? given : undefined
}
