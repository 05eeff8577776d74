import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { keys } from '../api/keys'
import type { Callback, Me, Outcome } from '../api/types'
import { claimNext, hangUp, placeCall, saveOutcome, type Wish, useCallback137 } from './queries'

export const ON_THE_PHONE: Callback['state'][] = ['dialing', 'ringing', 'answered', 'waiting', 'screening', 'talking', 'held', 'parting']

/** This desk's callback, the last one included until the next is taken, and what can be done. */
export function useDesk(me: Me, roundId: number | null) {
  const queries = useQueryClient()
  const [lastId, setLastId] = useState<number | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [nobody, setNobody] = useState(false)
  // What was said of the last one goes when another begins.
  if (me.callback && me.callback.id !== lastId) {
    setLastId(me.callback.id)
    setError(null)
    setNobody(false)
  }
  const { data } = useCallback137(me.callback?.id ?? lastId, me.callback)
  const given = data?.given_by_desk_id === me.desk?.id && data?.desk_id !== me.desk?.id  // to another desk
  const callback = given ? null : data ?? null

  const has = me.callback?.id ?? null
  // Where my desk has it no more, another one may: this page may not be the one that gave it.
  useEffect(() => {
    if (has === null && lastId !== null) void queries.invalidateQueries({ queryKey: keys.callback(lastId) })
  }, [has, lastId, queries])

  const show = (changed: Callback | null) => {
    if (!changed) return
    queries.setQueryData(keys.callback(changed.id), changed)
    queries.setQueryData(keys.me, { ...me, callback: changed.state === 'closed' ? null : changed })
  }
  const common = {
    onMutate: () => {
      setError(null)
      setNobody(false)
    },
    onError: setError,
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.me })
      if (callback) void queries.invalidateQueries({ queryKey: keys.callback(callback.id) })
    },
  }
  const next = useMutation({
    ...common,
    mutationFn: claimNext,
    onSuccess: (claimed) => {
      setNobody(claimed === null)
      show(claimed)
    },
  })
  const call = useMutation({ ...common, mutationFn: placeCall, onSuccess: show })
  const end = useMutation({ ...common, mutationFn: hangUp, onSuccess: show })
  const save = useMutation({
    ...common,
    mutationFn: ({ id, outcome, note, wish }: { id: number; outcome: Outcome; note: string; wish?: Wish }) =>
      saveOutcome(id, outcome, note, wish),
    onSuccess: show,
  })

  const busy = next.isPending || call.isPending || end.isPending || save.isPending
  const state = callback?.state
  return {
    id: me.desk?.id ?? 0,
    callback,
    error,
    nobody,
    pending: pendingOf({ 'take-next': next, call, hangup: end, save }),
    takeNext: !busy && roundId !== null && (!state || state === 'closed') ? () => next.mutate(roundId) : undefined,
    // The live events may be ahead of the answer to the command before: what they show can be acted on.
    call: !call.isPending && callback && state === 'claimed' ? () => call.mutate(callback.id) : undefined,
    hangUp: !end.isPending && callback && ON_THE_PHONE.includes(callback.state) ? () => end.mutate(callback.id) : undefined,
    save: (outcome: Outcome, note: string, wish: Wish | undefined, done: () => void) => {
      if (!busy && callback) save.mutate({ id: callback.id, outcome, note, wish }, { onSuccess: done })
    },
  }
}

export type Desk = ReturnType<typeof useDesk>

/** The name of the command under way. */
const pendingOf = (commands: Record<string, { isPending: boolean }>) =>
  Object.keys(commands).find((name) => commands[name]?.isPending) ?? null
