/** The rounds and the stage of one, which many pages follow. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { body, client } from './client'
import { serverNow } from './clock'
import { keys } from './keys'
import type { Round } from './types'

const ofRound = (round_id: number) => ({ params: { path: { round_id } } })

export const getRounds = () => body(client.GET('/api/v1/rounds'))

/** The announced rounds that start after this moment, the past ones too. */
export const getRoundsFrom = (from: string) => body(client.GET('/api/v1/rounds', { params: { query: { from } } }))

export const getRound = (id: number) => body(client.GET('/api/v1/rounds/{round_id}', ofRound(id)))

export const getStage = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/stage', ofRound(id)))

export const endRound = (id: number, reason: string) =>
  body(client.POST('/api/v1/rounds/{round_id}/end', { ...ofRound(id), body: { reason } }))

export const pauseRound = (id: number) => body(client.POST('/api/v1/rounds/{round_id}/pause', ofRound(id)))

export const resumeRound = (id: number) => body(client.POST('/api/v1/rounds/{round_id}/resume', ofRound(id)))

/** Phases follow the clock, without any event: ask again when the next one begins. */
export function untilNextPhase(rounds: Round[] | undefined): number {
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
    placeholderData: keepPreviousData,
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
