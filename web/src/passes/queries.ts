/** Links to bodies outside the city: of a request at the office, or of one in a department's inbox. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { INBOX, REQUESTS } from '../api/keys'

type Schemas = components['schemas']
export type Pass = Schemas['AgencyReferral']
export type PassIn = Schemas['PassIn']
/** Who asks. */
export type Side = 'requests' | 'inbox'

const root = { requests: REQUESTS, inbox: INBOX }

const ofRequest = (request_id: number) => ({ params: { path: { request_id } } })
const ofPass = (request_id: number, pass_id: number) => ({ params: { path: { request_id, pass_id } } })

const asks = {
  requests: {
    list: (id: number) => body(client.GET('/api/v1/requests/{request_id}/passes', ofRequest(id))),
    make: (id: number, made: PassIn) => body(client.POST('/api/v1/requests/{request_id}/passes', { ...ofRequest(id), body: made })),
    end: (id: number, pass: number) => body(client.DELETE('/api/v1/requests/{request_id}/passes/{pass_id}', ofPass(id, pass))),
  },
  inbox: {
    list: (id: number) => body(client.GET('/api/v1/inbox/{request_id}/passes', ofRequest(id))),
    make: (id: number, made: PassIn) => body(client.POST('/api/v1/inbox/{request_id}/passes', { ...ofRequest(id), body: made })),
    end: (id: number, pass: number) => body(client.DELETE('/api/v1/inbox/{request_id}/passes/{pass_id}', ofPass(id, pass))),
  },
}

export const passPictureUrl = (side: Side, id: number, picture: string) => `/api/v1/${side}/${id}/pictures/${picture}`

export const usePasses = (side: Side, id: number) =>
  useQuery({ queryKey: [...root[side], 'passes', id], queryFn: () => asks[side].list(id) })

export function usePassOn(side: Side, id: number, onDone: (link: string) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (made: PassIn) => asks[side].make(id, made),
    onSuccess: ({ link }) => onDone(link),
    onSettled: () => queries.invalidateQueries({ queryKey: root[side] }),
  })
}

export const endPass = (side: Side, id: number, pass: number) => asks[side].end(id, pass)
