import { handOver, pauseRound, resumeRound, screen } from '../../api/calls'
import type { Callback, Desk, Outcome, Stage } from '../../api/calls'
import { dismiss } from '../../api/desk'
import { isOver } from '../desk/round-select'
import { useDeeds } from '../official/use-serving'

/** What an operator can do beside the official, from a desk of their own. */
export function useBeside(desk: Desk, stage: Stage) {
  const { error, pending, may } = useDeeds()
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
    dismiss: withMe && ((outcome: Outcome) => may(true, 'dismiss', () => dismiss(withMe.id, { outcome, note: '' }))?.()),
    pause: may(!isOver(round) && !round.paused_at, 'pause', () => pauseRound(round.id)),
    resume: may(!isOver(round) && round.paused_at !== null, 'pause', () => resumeRound(round.id)),
  }
}

export type Beside = ReturnType<typeof useBeside>
