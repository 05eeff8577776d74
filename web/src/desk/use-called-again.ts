import { hashKey, useQuery } from '@tanstack/react-query'
import { serverNow } from '../api/clock'
import type { Round } from '../api/types'
import { type CallLater, momentOf } from './call-later'
import { getCalledAgain, type Wish } from './queries'

const ASKED_AGAIN = 15_000

/** What the desk wishes for its citizen, as it is sent. */
export const wishOf = (callLater: CallLater, round: Round | undefined): Wish => {
  const again_at = momentOf(callLater, round, serverNow())
  return { again_at, agreed: again_at !== null && (callLater.agreed ?? false) }
}

const isOfSameWish = (asked: readonly unknown[] = [], callbackId: number, callLater: CallLater) =>
  callLater.way !== 'next-round' && hashKey(asked.slice(1, 3)) === hashKey([callbackId, callLater])

/** When the citizen would really be called, and the wish for which the server said so: it alone knows the rules. */
export const useCalledAgain = (callbackId: number, callLater: CallLater, round: Round | undefined, enabled: boolean) =>
  useQuery({
    queryKey: ['called-again', callbackId, callLater, round?.ends_at],
    queryFn: async () => {
      const wish = wishOf(callLater, round)
      return { wish, ...(await getCalledAgain(callbackId, wish)) }
    },
    // The round came, or its end moved: asked anew, but of one and the same wish what was said stays meanwhile.
    placeholderData: (said, before) => (isOfSameWish(before?.queryKey, callbackId, callLater) ? said : undefined),
    enabled,
    staleTime: 0,
    refetchInterval: ASKED_AGAIN,
  })

export type Foreseen = ReturnType<typeof useCalledAgain>
