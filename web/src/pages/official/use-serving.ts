import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { askNext, finishing, hangUp, notNow, pauseRound, resumeRound, saveOutcome, serve } from '../../api/calls'
import type { Callback, Desk, Outcome, Stage } from '../../api/calls'
import { keys } from '../../api/queries'
import { isOver } from '../desk/round-select'
import { ON_THE_PHONE } from '../desk/use-desk'

export type ServingState =
  'free' | 'asked' | 'connecting' | 'talking' | 'finishing' | 'ended' | 'paused' | 'over'

/** Where the desk stands in its round, in one word. */
function stateOf(desk: Desk, callback: Callback | null, stage: Stage): ServingState {
  if (callback) {
    if (callback.state === 'talking') return callback.finishing_at ? 'finishing' : 'talking'
    return callback.state === 'ended' ? 'ended' : 'connecting'
  }
  if (isOver(stage.round)) return 'over'
  if (desk.next_asked_at) return 'asked'
  return stage.round.paused_at ? 'paused' : 'free'
}

/** One deed at a time for the round's desks: what is under way, what went wrong, and everything true again after it. */
export function useDeeds() {
  const queries = useQueryClient()
  const { mutate, isPending, variables, error } = useMutation({
    mutationFn: ({ act }: { name: string; act: () => Promise<unknown> }) => act(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.me })
      void queries.invalidateQueries({ queryKey: keys.stages })
    },
  })
  return {
    error,
    pending: isPending ? variables.name : null,
    /** A command, while it can be given. */
    may: (possible: boolean, name: string, act: () => Promise<unknown>) =>
      possible && !isPending ? () => mutate({ name, act }) : undefined,
  }
}

/** What the desk that serves the round has in hand, and what it can do. */
export function useServing(desk: Desk, stage: Stage, begun: boolean) {
  const { error, pending, may } = useDeeds()
  const [said, setSaid] = useState<{ id: number; outcome: Outcome }>()
  const { round } = stage
  const callback = stage.places.find((place) => place.desk.id === desk.id)?.callback ?? null
  const state = stateOf(desk, callback, stage)
  const over = isOver(round)
  const speaks = state === 'talking' || state === 'finishing'
  const outcome = said && said.id === callback?.id ? said.outcome : 'reached'
  const ended = state === 'ended' ? callback : null
  const record = async () => ended && saveOutcome(ended.id, outcome, ended.note)

  /** «Next» itself says that the conversation took place; anything else is said before. */
  async function next() {
    if (!ended || outcome === 'reached') return askNext(callback?.id ?? null)
    await record()
    return askNext(null)
  }

  return {
    callback, state, over, outcome, error, pending,
    say: ended ? (chosen: Outcome) => setSaid({ id: ended.id, outcome: chosen }) : undefined,
    next: may(
      begun && !over && desk.phone_connected && state !== 'asked' && state !== 'connecting', 'next', next,
    ),
    record: may(ended !== null && over, 'next', record),
    finishing: may(state === 'talking', 'finishing', finishing),
    hangUp: may(callback !== null && ON_THE_PHONE.includes(callback.state), 'hangup', () => hangUp(callback?.id ?? 0)),
    notNow: may(state === 'asked' || (ended !== null && !over), 'not-now', () => (ended ? record() : notNow())),
    pause: may(begun && !over && !round.paused_at, 'pause', () => pauseRound(round.id)),
    resume: may(!over && round.paused_at !== null, 'pause', () => resumeRound(round.id)),
    mayEnd: begun && !over && !round.standing,
    leave: may(callback === null, 'leave', () => serve(null)),
    speaks,
  }
}

export type Serving = ReturnType<typeof useServing>
