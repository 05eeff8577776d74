import { useRounds } from '../api/rounds'
import { useLanguage } from '../language/language'

/** What is said where there is no round: nothing, as long as nobody knows. */
export function useNoRound(): string {
  const { text } = useLanguage()
  return useRounds().isPending ? '' : text.round.none
}
