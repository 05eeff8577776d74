import { QueryClient, useQuery } from '@tanstack/react-query'
import {
  getBrowserPhone, getCallback, getMe, getNotice, getOfficials, getRecordings, getReport, getRound, getRounds, getRoundsFrom,
  getStage,
} from './calls'
import type { Callback, CallbackState, Me, Round } from './calls'
import { serverNow } from './clock'
import { Problem } from './problem'

export const keys = {
  me: ['me'],
  rounds: ['rounds'],
  planned: (from: string) => ['rounds', 'from', from],
  round: (id: number) => ['rounds', id],
  report: (id: number) => ['rounds', id, 'report'],
  line: (roundId: number) => ['line', roundId],
  stages: ['stage'],
  stage: (roundId: number) => ['stage', roundId],
  recordings: (roundId: number) => ['recordings', roundId],
  callback: (id: number) => ['callback', id],
}

const passing = (error: Error) => error instanceof Problem && error.passing

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A system on a machine without any other network is reached all the same.
      networkMode: 'always',
      staleTime: 10_000,
      retry: (_count, error) => passing(error),
      retryDelay: (count) => Math.min(500 * 2 ** count, 2_000),
    },
    mutations: { networkMode: 'always', retry: false },
  },
})

/** Who is signed in; null for nobody. */
export const useMe = () =>
  useQuery({
    queryKey: keys.me,
    queryFn: async (): Promise<Me | null> => {
      try {
        return await getMe()
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return null
        throw error
      }
    },
  })

/** Phases follow the clock, without any event: ask again when the next one begins. */
function untilNextPhase(rounds: Round[] | undefined): number {
  const waits = (rounds ?? [])
    .flatMap((round) => [round.announce_at, round.registration_from, round.registration_until, round.starts_at, round.ends_at])
    .map((moment) => Date.parse(moment) - serverNow() + 700)
    .filter((wait) => wait > 0)
  return Math.max(500, Math.min(30_000, ...waits))
}

export const useRounds = () =>
  useQuery({
    queryKey: keys.rounds,
    queryFn: getRounds,
    refetchInterval: (query) => untilNextPhase(query.state.data),
  })

export const useRoundsFrom = (from: string) =>
  useQuery({
    queryKey: keys.planned(from),
    queryFn: () => getRoundsFrom(from),
    refetchInterval: (query) => untilNextPhase(query.state.data),
  })

export const useRound = (id: number) =>
  useQuery({
    queryKey: keys.round(id),
    queryFn: () => getRound(id),
    refetchInterval: (query) => untilNextPhase(query.state.data && [query.state.data]),
  })

/** A served round at this moment. */
export const useStage = (roundId: number | null) =>
  useQuery({
    queryKey: keys.stage(roundId ?? 0),
    queryFn: () => getStage(roundId ?? 0),
    enabled: roundId !== null,
    refetchInterval: (query) => untilNextPhase(query.state.data && [query.state.data.round]),
  })

export const useNotice = (id: number) => useQuery({ queryKey: [...keys.round(id), 'notice'], queryFn: () => getNotice(id) })

export const useReport = (id: number) => useQuery({ queryKey: keys.report(id), queryFn: () => getReport(id) })

export const useRecordings = (roundId: number) =>
  useQuery({ queryKey: keys.recordings(roundId), queryFn: () => getRecordings(roundId) })

export const useOfficials = () => useQuery({ queryKey: ['planning', 'officials'], queryFn: getOfficials, staleTime: 60_000 })

export const useCallback137 = (id: number | null, known: Callback | null) =>
  useQuery({
    queryKey: keys.callback(id ?? 0),
    queryFn: () => getCallback(id ?? 0),
    enabled: id !== null,
    initialData: known && known.id === id ? known : undefined,
    structuralSharing: (before, now) => further(before as Callback | undefined, now as Callback),
  })

export const useBrowserPhone = () =>
  useQuery({ queryKey: ['browser-phone'], queryFn: getBrowserPhone, staleTime: Infinity })

const ORDER: CallbackState[] = [
  'claimed', 'dialing', 'ringing', 'answered', 'waiting', 'talking', 'ended', 'closed',
]

/** A callback only moves forward: an answer that was overtaken on its way is dropped. */
function further(before: Callback | undefined, now: Callback): Callback {
  if (before?.id !== now.id) return now
  return ORDER.indexOf(now.state) < ORDER.indexOf(before.state) ? before : now
}
