import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { keys } from '../api/keys'

/**
 * One action at a time for the round's desks: what is under way, what went wrong, and everything true again after it.
 * The live events may be ahead of the answer to an action, so another that is wanted meanwhile waits for its turn; the same one is not done twice.
 * What went wrong with one call goes when another begins (`call`: the one in hand).
 */
export function useActions(call: number | null = null) {
  const queries = useQueryClient()
  const { mutate, isPending, variables, error } = useMutation({
    scope: { id: 'actions' },
    mutationFn: ({ act }: { name: string; act: () => Promise<unknown> }) => act(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.me })
      void queries.invalidateQueries({ queryKey: keys.stages })
    },
  })
  const [last, setLast] = useState(call)
  const [old, setOld] = useState<unknown>(null)
  if (call !== null && call !== last) {
    setLast(call)
    setOld(error)
  }
  return {
    error: error === old ? null : error,
    pending: isPending ? variables.name : null,
    /** A command, while it can be given. */
    may: (possible: boolean, name: string, act: () => Promise<unknown>) =>
      possible && !(isPending && variables.name === name) ? () => mutate({ name, act }) : undefined,
  }
}
