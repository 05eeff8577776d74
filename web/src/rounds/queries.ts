import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import type { Code } from '../../shared/language/locale'
import { body, client } from '../api/client'
import { keys, planningKey } from '../api/keys'

type Schemas = components['schemas']
export type CalendarDay = Schemas['CalendarDay']
export type RoundIn = Schemas['RoundIn']
export type RoundChange = Schemas['RoundChange']
export type RoundReport = Schemas['RoundReport']

const ofRound = (round_id: number) => ({ params: { path: { round_id } } })

export const getNotice = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/notice', ofRound(id)))

export const getReport = (id: number) => body(client.GET('/api/v1/rounds/{round_id}/report', ofRound(id)))

export const makeRound = (round: RoundIn) => body(client.POST('/api/v1/rounds', { body: round }))

export const changeRound = (id: number, change: RoundChange) =>
  body(client.PATCH('/api/v1/rounds/{round_id}', { ...ofRound(id), body: change }))

export const cancelRound = (id: number, reason: string) =>
  body(client.POST('/api/v1/rounds/{round_id}/cancel', { ...ofRound(id), body: { reason } }))

/** One day as it is now; none while `day` is not chosen. */
export const useDay = (day: string) =>
  useQuery({
    queryKey: [...planningKey, 'calendar', day, day],
    queryFn: () => body(client.GET('/api/v1/calendar', { params: { query: { from: day, until: day } } })),
    enabled: day !== '',
    staleTime: 0,
    select: ([only]) => only,
  })

/** Whence a round's carried registrations came, and whither those it did not reach went. */
export const useCarries = (round_id: number) =>
  useQuery({
    queryKey: [...keys.round(round_id), 'carries'],
    queryFn: () => body(client.GET('/api/v1/rounds/{round_id}/carries', { params: { path: { round_id } } })),
  })

export const useHistory = (round_id: number, language: Code) =>
  useQuery({
    queryKey: [...keys.round(round_id), 'history', language],
    queryFn: () => body(client.GET('/api/v1/rounds/{round_id}/history', { params: { path: { round_id }, query: { language } } })),
  })

export const useNotice = (id: number) => useQuery({ queryKey: [...keys.round(id), 'notice'], queryFn: () => getNotice(id) })

export const useReport = (id: number) => useQuery({ queryKey: keys.report(id), queryFn: () => getReport(id) })
