/** The line, row by row. */
import { useQueries } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { keys } from '../api/keys'
import type { Registration } from '../api/types'

/** So many rows are asked for at once. */
const LINE_PAGE = 100

const getLine = (round_id: number, offset: number) =>
  body(client.GET('/api/v1/rounds/{round_id}/registrations', {
    params: { path: { round_id }, query: { offset, limit: LINE_PAGE } },
  }))

/** The rows `first` to `last` of a line and its length: only what is looked at is asked for, again after a change, too. */
export function useLineRows(roundId: number, first: number, last: number) {
  const from = Math.floor(first / LINE_PAGE)
  const pages = Array.from({ length: Math.floor(last / LINE_PAGE) - from + 1 }, (_, at) => from + at)
  const answers = useQueries({
    queries: pages.map((page) => ({
      queryKey: [...keys.line(roundId), page],
      queryFn: () => getLine(roundId, page * LINE_PAGE),
    })),
  })
  const newest = answers.toSorted((a, b) => b.dataUpdatedAt - a.dataUpdatedAt)[0]
  return {
    total: newest?.data?.total,
    error: answers.find(({ error }) => error)?.error ?? null,
    row: (index: number): Registration | undefined =>
      answers[Math.floor(index / LINE_PAGE) - from]?.data?.items[index % LINE_PAGE],
  }
}

/** Before all whom nobody moved up; the reason is public. */
export const moveUp = (registration_id: number, reason: string) =>
  body(client.POST('/api/v1/registrations/{registration_id}/move-up', {
    params: { path: { registration_id } }, body: { reason },
  }))
