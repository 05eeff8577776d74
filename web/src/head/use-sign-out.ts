import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { keys } from '../api/keys'
import { signOut } from '../api/session'

/** Nobody is signed in here any more, and nothing that was read stays. */
export function useSignOut() {
  const queries = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      queries.setQueryData(keys.me, null)
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] })
      navigate('/sign-in', { replace: true }) // who signs in next comes to their own work
    },
  })
}
