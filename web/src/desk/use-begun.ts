import type { Round } from '../api/types'
import { useNow } from '../ui/use-now'

/** Whether callbacks may begin: the first one taken after the announced hour opens the round. */
export function useBegun(round: Round | undefined): boolean {
  const live = round?.phase === 'live'
  const now = useNow(round !== undefined && !live)
  return round !== undefined && (live || now >= Date.parse(round.starts_at))
}
