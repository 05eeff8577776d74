import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import { takeBreak } from './queries'

/** My desk takes nobody for a while, for a reason; null: it does again. */
export function useBreak() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: takeBreak,
    onSuccess: (me) => queries.setQueryData(keys.me, me),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.stages }),
  })
}
