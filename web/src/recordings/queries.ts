import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { components, operations } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys, keys } from '../api/keys'

type Schemas = components['schemas']
export type AnyRecording = Schemas['RecordingOfRound']
export type RecordingFilter = Omit<NonNullable<operations['recordings_search']['parameters']['query']>, 'before' | 'limit'>
export type Recording = Schemas['Recording']

/** The file goes for good. */
export const deleteRecording = (callback_id: number, reason: string) =>
  body(client.POST('/api/v1/recordings/{callback_id}/delete', { params: { path: { callback_id } }, body: { reason } }))

export const useRetention = () =>
  useQuery({ queryKey: [...adminKeys.recordings, 'retention'], queryFn: () => body(client.GET('/api/v1/recordings/retention')) })

export const useAllRecordings = (filter: RecordingFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.recordings, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/recordings/all', { params: { query: { ...filter, before: pageParam } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })

export const getRecordings = (round_id: number) =>
  body(client.GET('/api/v1/recordings', { params: { query: { round_id } } }))

/** Where a player finds a recorded conversation; whoever asks for it is in the audit log. */
export const recordingUrl = (callback_id: number) => `/api/v1/recordings/${callback_id}/audio`

export const useRecordings = (roundId: number) =>
  useQuery({ queryKey: keys.recordings(roundId), queryFn: () => getRecordings(roundId) })
