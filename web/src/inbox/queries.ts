/** A department's inbox: what is asked of the API, and how it is kept. Events tell of it (api/live.ts), but not of what falls due. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { INBOX } from '../api/keys'

type Schemas = components['schemas']
export type InboxRequest = Schemas['InboxRequest']
export type InboxDetail = Schemas['InboxDetail']
export type InboxStep = Schemas['InboxStep']
export type Part = Schemas['Part']
export type Answer = Schemas['AnswerToCitizen']

const detailKey = (id: number) => [...INBOX, 'one', id]
const AGAIN = 60_000
const PAGE = 50

const ofRequest = (request_id: number) => ({ params: { path: { request_id } } })

export const soundUrl = (id: number) => `/api/v1/inbox/${id}/audio`

export const pictureUrl = (id: number, picture: string) => `/api/v1/inbox/${id}/pictures/${picture}`

export const useInbox = (part: Part) =>
  useInfiniteQuery({
    queryKey: [...INBOX, 'list', part],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/inbox', { params: { query: { part, after: pageParam, limit: PAGE } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: AGAIN,
  })

export const useInboxCounts = () =>
  useQuery({ queryKey: [...INBOX, 'counts'], queryFn: () => body(client.GET('/api/v1/inbox/counts')), refetchInterval: AGAIN })

export const useInboxRequest = (id: number) =>
  useQuery({
    queryKey: detailKey(id),
    queryFn: () => body(client.GET('/api/v1/inbox/{request_id}', ofRequest(id))),
    refetchInterval: AGAIN,
  })

export const acceptAll = (request_ids: number[]) => body(client.POST('/api/v1/inbox/accept', { body: { request_ids } }))

export const accept = (id: number) => body(client.POST('/api/v1/inbox/{request_id}/accept', ofRequest(id)))

export const ask = (id: number, question: string) =>
  body(client.POST('/api/v1/inbox/{request_id}/ask', { ...ofRequest(id), body: { question } }))

export const answer = (id: number, said: Answer) => body(client.POST('/api/v1/inbox/{request_id}/reply', { ...ofRequest(id), body: said }))

export const split = (id: number, said: { ours: string; rest: string }) =>
  body(client.POST('/api/v1/inbox/{request_id}/split', { ...ofRequest(id), body: said }))

export const giveBack = (id: number, note: string) =>
  body(client.POST('/api/v1/inbox/{request_id}/return', { ...ofRequest(id), body: { note } }))

/** The body of the request is the file itself. */
export const sendPicture = (file: File) =>
  body(client.POST('/api/v1/inbox/pictures', { body: file as unknown as string, bodySerializer: () => file, headers: { 'Content-Type': file.type } }))

/** Several at once; those that are not ours any more are refused, and the list shows what is. */
export function useAcceptAll(onDone: () => void) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: acceptAll, onSuccess: onDone, onSettled: () => queries.invalidateQueries({ queryKey: INBOX }) })
}

/** An action that gives back the request as it is then; or nothing, if it is ours no more. */
export function useInboxAction<T>(action: (input: T) => Promise<InboxDetail | undefined>, onDone?: () => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: action,
    onSuccess: (detail) => {
      if (detail) queries.setQueryData(detailKey(detail.request.id), detail)
      onDone?.()
    },
    // Somebody may have been quicker: show what is.
    onSettled: () => queries.invalidateQueries({ queryKey: INBOX }),
  })
}
