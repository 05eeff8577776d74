import { useState } from 'react'
import { pauseRound, resumeRound } from '../api/rounds'
import type { Callback, Desk, Outcome, Stage } from '../api/types'
import { hangUp, saveOutcome } from '../desk/queries'
import { isOver } from '../desk/likely-round'
import { ON_THE_PHONE } from '../desk/use-desk'
import { useWithPhone } from '../phone/use-with-phone'
import { useActions } from '../callbacks/use-actions'
import { useNow } from '../ui/use-now'
import { askNext, finishing, notNow, serve } from './queries'

export type ServingState =
  'free' | 'asked' | 'connecting' | 'talking' | 'finishing' | 'held' | 'parting' | 'ended' | 'wrap-up' | 'paused' | 'over'

const ENDS = ['held', 'parting', 'ended'] as const

/** So soon after its begin «next» asks once more; a second longer than the server, whose clock decides. */
const YOUNG = 31_000

/** Where the desk stands in its round, in one word. */
function stateOf(desk: Desk, callback: Callback | null, stage: Stage): ServingState {
  if (callback) {
    if (callback.state === 'talking') return callback.finishing_at ? 'finishing' : 'talking'
    return ENDS.find((state) => state === callback.state) ?? 'connecting'
  }
  if (isOver(stage.round)) return 'over'
  if (desk.next_asked_at) return 'asked'
  if (stage.round.paused_at) return 'paused'
  return desk.wrap_up_since ? 'wrap-up' : 'free'
}

/** What the desk that serves the round has in hand, and what it can do. */
export function useServing(desk: Desk, stage: Stage, begun: boolean) {
  const [said, setSaid] = useState<{ id: number; outcome: Outcome }>()
  const { round } = stage
  const callback = stage.places.find((place) => place.desk.id === desk.id)?.callback ?? null
  const { error, pending, may } = useActions(callback?.id)
  const state = stateOf(desk, callback, stage)
  const over = isOver(round)
  const talks = state === 'talking' || state === 'finishing'
  const now = useNow(talks)
  const young = talks && callback?.talking_at != null && now - Date.parse(callback.talking_at) < YOUNG
  const ended = state === 'ended' || state === 'parting' ? callback : null
  const outcome = said && said.id === callback?.id ? said.outcome : ended?.default_outcome ?? 'reached'
  const record = async () => ended && saveOutcome(ended.id, outcome, '')

  /** «Next» itself says what the conversation came to as it seems; anything else is said before. */
  async function next() {
    if (!ended || outcome === ended.default_outcome) return askNext(callback?.id ?? null, young)
    await record()
    return askNext(null, false)
  }

  const mayNext = begun && !over && state !== 'asked' && state !== 'connecting' && state !== 'held'
  const withPhone = useWithPhone(desk, may(mayNext, 'next', next), state)
  return {
    callback, state, over, outcome, error, pending,
    say: ended ? (chosen: Outcome) => setSaid({ id: ended.id, outcome: chosen }) : undefined,
    next: withPhone,
    record: may(ended !== null && over, 'next', record),
    finishing: may(state === 'talking', 'finishing', finishing),
    hangUp: may(callback !== null && ON_THE_PHONE.includes(callback.state), 'hangup', () => hangUp(callback?.id ?? 0)),
    notNow: may(state === 'asked' || (ended !== null && !over), 'not-now', () => (ended ? record() : notNow())),
    pause: may(begun && !over && !round.paused_at, 'pause', () => pauseRound(round.id)),
    resume: may(!over && round.paused_at !== null, 'pause', () => resumeRound(round.id)),
    mayEnd: begun && !over && !round.is_operators_line,
    leave: may(callback === null, 'leave', () => serve(null)),
    /** «Next» is to be said on purpose. */
    young,
  }
}

export type Serving = ReturnType<typeof useServing>
