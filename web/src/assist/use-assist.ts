import { pauseRound, resumeRound } from '../api/rounds'
import type { Callback, Desk, Outcome, Stage } from '../api/types'
import { isOver } from '../desk/likely-round'
import { useActions } from '../callbacks/use-actions'
import { handOver, screen, dismiss } from './queries'

/** What an operator can do beside the official, from a desk of their own. */
export function useAssist(desk: Desk, stage: Stage) {
  const { error, pending, may } = useActions()
  const { round, ready } = stage
  const withMe = ready.find(({ state, screen_desk_id }) => state === 'screening' && screen_desk_id === desk.id)
  const free = desk.phone_connected && !withMe
  const speakFirst = (callback: Callback | undefined) =>
    may(free && callback?.state === 'waiting', 'screen', () => screen(callback?.id ?? 0))
  return {
    error, pending, withMe, speakFirst,
    /** With the citizen who is next. */
    screen: speakFirst(ready.find(({ state }) => state === 'waiting')),
    handOver: may(withMe !== undefined, 'hand-over', () => handOver(withMe?.id ?? 0)),
    /** The call ends, and the official does not get this citizen. */
    dismiss: withMe && ((outcome: Outcome) => may(true, 'dismiss', () => dismiss(withMe.id, { outcome, note: '', agreed: false }))?.()),
    pause: may(!isOver(round) && !round.paused_at, 'pause', () => pauseRound(round.id)),
    resume: may(!isOver(round) && round.paused_at !== null, 'pause', () => resumeRound(round.id)),
  }
}

export type Assist = ReturnType<typeof useAssist>
