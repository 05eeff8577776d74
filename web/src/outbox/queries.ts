import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { components, operations } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type Message = Schemas['OutboxMessage']
export type MessageFilter = Pick<NonNullable<operations['outbox_list_messages']['parameters']['query']>, 'state' | 'kind' | 'lost'>

const SHOWN = 100
const LOOK_MS = 15_000
const SOON_MS = 1_500

export const useOutbox = (filter: MessageFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.outbox, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/outbox', { params: { query: { ...filter, before: pageParam, limit: SHOWN } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.length < SHOWN ? undefined : page.at(-1)?.id),
    placeholderData: (before) => before,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : LOOK_MS),
  })

/** What became of one that was sent again: asked for soon, and then less often, until it is out or is not. */
export const useFate = (id: number) =>
  useQuery({
    queryKey: [...adminKeys.outbox, 'fate', id],
    queryFn: async () => (await body(client.GET('/api/v1/outbox', { params: { query: { before: id + 1, limit: 1 } } }))).find((one) => one.id === id) ?? null,
    refetchInterval: ({ state: { data, dataUpdateCount } }) =>
      data?.state !== 'pending' && data?.state !== 'sending' ? false : dataUpdateCount < 20 && data.attempts === 0 ? SOON_MS : LOOK_MS,
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
