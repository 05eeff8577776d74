import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import { takeBreak } from './queries'

/** My desk takes nobody for a while, for a reason; null: it does again. */
export function useBreak() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: takeBreak,
    onSuccess: (me) => queries.setQueryData(keys.me, me),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.me, exact: true }) // an older answer may be on its way
      return queries.invalidateQueries({ queryKey: keys.stages })
    },
  })
}
