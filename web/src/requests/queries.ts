/** Requests: what is asked of the API, and how it is kept. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { GeoPermissibleObjects } from 'd3-geo'
import type { components, paths } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { REQUESTS } from '../api/keys'

type Schemas = components['schemas']
export type CityRequest = Schemas['CityRequest']
export type RequestDetail = Schemas['RequestDetail']
export type RequestState = CityRequest['state']
export type RequestIn = Schemas['RequestIn']
export type Refer = Schemas['Refer']
export type PartIn = Schemas['PartIn']
export type Step = Schemas['Step']
export type Department = Schemas['Department']
export type DistrictCounts = Schemas['DistrictCounts']
export type Release = Schemas['Release']
export type Area = Schemas['Area']
export type RequestFilter = Omit<NonNullable<paths['/api/v1/requests']['get']['parameters']['query']>, 'after' | 'limit'>

const DEPARTMENTS = [...REQUESTS, 'departments']

const detailKey = (id: number) => [...REQUESTS, 'one', id]

const PAGE = 50

const ofRequest = (request_id: number) => ({ params: { path: { request_id } } })

export const requestSoundUrl = (id: number) => `/api/v1/requests/${id}/audio`

export const requestPictureUrl = (id: number, picture: string) => `/api/v1/requests/${id}/pictures/${picture}`

export const findRequest = (tracking: string) =>
  body(client.GET('/api/v1/requests/tracking/{tracking}', { params: { path: { tracking } } }))

export const writeRequest = (request: RequestIn) => body(client.POST('/api/v1/requests', { body: request }))

export const referRequest = (id: number, refer: Refer) =>
  body(client.POST('/api/v1/requests/{request_id}/refer', { ...ofRequest(id), body: refer }))

export const returnRequest = (id: number, note: string) =>
  body(client.POST('/api/v1/requests/{request_id}/return', { ...ofRequest(id), body: { note } }))

export const replyToRequest = (id: number, said: Schemas['AnswerToCitizen']) =>
  body(client.POST('/api/v1/requests/{request_id}/reply', { ...ofRequest(id), body: said }))

/** The body of the request is the file itself. */
export const sendEvidence = (file: File) =>
  body(client.POST('/api/v1/requests/pictures', { body: file as unknown as string, bodySerializer: () => file, headers: { 'Content-Type': file.type } }))

export const rejectRequest = (id: number, reply: string) =>
  body(client.POST('/api/v1/requests/{request_id}/reject', { ...ofRequest(id), body: { reply } }))

export const answerRequest = (id: number, solved: boolean, parts: number[]) =>
  body(client.POST('/api/v1/requests/{request_id}/answer', { ...ofRequest(id), body: { solved, parts } }))

export const splitRequest = (id: number, parts: PartIn[]) =>
  body(client.POST('/api/v1/requests/{request_id}/split', { ...ofRequest(id), body: { parts } }))

export const joinParts = (id: number) => body(client.POST('/api/v1/requests/{request_id}/join', ofRequest(id)))

export const sayToQuestion = (id: number, answer: string) =>
  body(client.POST('/api/v1/requests/{request_id}/said', { ...ofRequest(id), body: { answer } }))

export const mergeRequest = (id: number, request_id: number) =>
  body(client.POST('/api/v1/requests/{request_id}/duplicate', { ...ofRequest(id), body: { request_id } }))

export const separateRequest = (id: number) => body(client.POST('/api/v1/requests/{request_id}/separate', ofRequest(id)))

export const useRequests = (filter: RequestFilter) =>
  useInfiniteQuery({
    queryKey: [...REQUESTS, 'list', filter],
    queryFn: ({ pageParam }) =>
      body(client.GET('/api/v1/requests', { params: { query: { ...filter, after: pageParam, limit: PAGE } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    // What falls due does so without any event.
    refetchInterval: 60_000,
  })

export const useRequestCounts = (filter: RequestFilter) =>
  useQuery({
    queryKey: [...REQUESTS, 'counts', filter],
    queryFn: () => body(client.GET('/api/v1/requests/counts', { params: { query: filter } })),
    refetchInterval: 60_000,
  })

export const useRequestMap = (filter: RequestFilter) =>
  useQuery({
    queryKey: [...REQUESTS, 'map', filter],
    queryFn: () => body(client.GET('/api/v1/requests/districts', { params: { query: filter } })),
    refetchInterval: 60_000,
  })

/** The city's own boundaries; null: it has named none. */
export const useBoundaries = () =>
  useQuery({
    queryKey: ['boundaries'],
    queryFn: async () => (await body(client.GET('/api/v1/requests/boundaries'))) as GeoPermissibleObjects | null,
    staleTime: Infinity,
  })

export const useRequest = (id: number) =>
  useQuery({ queryKey: detailKey(id), queryFn: () => body(client.GET('/api/v1/requests/{request_id}', ofRequest(id))) })

export const useDepartments = () =>
  useQuery({ queryKey: DEPARTMENTS, queryFn: () => body(client.GET('/api/v1/departments')) })

/** An action that gives back the request as it is then. */
export function useRequestAction<T>(action: (input: T) => Promise<RequestDetail>, onDone?: (detail: RequestDetail) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: action,
    onSuccess: (detail) => {
      queries.setQueryData(detailKey(detail.request.id), detail)
      void queries.invalidateQueries({ queryKey: REQUESTS })
      onDone?.(detail)
    },
    // Somebody may have been quicker: show what is.
    onError: () => queries.invalidateQueries({ queryKey: REQUESTS }),
  })
}

/** What is public of it; null: nothing. */
export const useRelease = (id: number) =>
  useQuery({
    queryKey: [...REQUESTS, 'release', id],
    queryFn: () => body(client.GET('/api/v1/requests/{request_id}/release', ofRequest(id))),
  })

export const releaseRequest = (id: number, release: Schemas['ReleaseIn']) =>
  body(client.POST('/api/v1/requests/{request_id}/release', { ...ofRequest(id), body: release }))

export const HIDDEN_PICTURES = ['hidden-picture']

/** A picture as everybody would see it, as a data URL. */
export async function hiddenPicture(request_id: number, picture_id: string, hidden: readonly Area[]): Promise<string> {
  const made = await body(
    client.POST('/api/v1/requests/{request_id}/pictures/{picture_id}/hidden', {
      params: { path: { request_id, picture_id } }, body: { hidden: [...hidden] }, parseAs: 'blob',
    }),
  )
  return await new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as string)
    reader.onerror = () => reject(new Error('unreadable'))
    reader.readAsDataURL(made)
  })
}

export const withdrawRequest = (id: number) => body(client.DELETE('/api/v1/requests/{request_id}/release', ofRequest(id)))

/** An action on what is public of it. */
export function useReleaseAction(id: number, action: () => Promise<unknown>, onDone?: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: action,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [...REQUESTS, 'release', id] })
      onDone?.()
    },
  })
}
