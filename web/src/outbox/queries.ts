import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'
import type { components, operations } from '../api/schema.gen'

type Schemas = components['schemas']
export type Message = Schemas['OutboxMessage']
export type MessageFilter = Pick<NonNullable<operations['outbox_list_messages']['parameters']['query']>, 'state' | 'kind' | 'lost'>

const SHOWN = 100
const LOOK_MS = 15_000

export const useOutbox = (filter: MessageFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.outbox, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/outbox', { params: { query: { ...filter, before: pageParam, limit: SHOWN } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.length < SHOWN ? undefined : page.at(-1)?.id),
    placeholderData: (before) => before,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : LOOK_MS),
  })

export const useProviders = () =>
  useQuery({
    queryKey: [...adminKeys.outbox, 'providers'],
    queryFn: () => body(client.GET('/api/v1/outbox/providers')),
    refetchInterval: 60_000,
  })

/** Have one sent once more. */
export function useSendAgain() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (message_id: number) => body(client.POST('/api/v1/outbox/{message_id}/retry', { params: { path: { message_id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: adminKeys.outbox }),
  })
}
