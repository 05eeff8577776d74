import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { keys } from '../api/keys'
import { untilNextPhase } from '../api/rounds'

export type RoundNotice = components['schemas']['RoundNotice']

/** The notices of the rounds that start after this moment. What changes a round changes its notice. */
export const useNotices = (from: string) =>
  useQuery({
    queryKey: keys.notices(from),
    queryFn: () => body(client.GET('/api/v1/notices', { params: { query: { from } } })),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => untilNextPhase(query.state.data?.map(({ round }) => round)),
  })

/** Have it told to the webhook after all. */
export function useTellAgain() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (message_id: number) => body(client.POST('/api/v1/outbox/{message_id}/retry', { params: { path: { message_id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.rounds }),
  })
}
