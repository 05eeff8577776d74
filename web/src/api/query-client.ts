/** How answers of the API are kept. */
import {
  MutationCache, QueryCache, QueryClient, type InvalidateOptions, type InvalidateQueryFilters, type Query, type QueryKey,
} from '@tanstack/react-query'
import { whileItAnswers } from './connection'
import { keys } from './keys'
import { Problem } from './problem'
import type { Me } from './types'

const passing = (error: Error) => error instanceof Problem && error.passing

/** What was asked for ahead (first-load.ts) may be an answer to nobody: once somebody has signed in, it is asked anew. */
const toNobody = (count: number, error: Error): boolean =>
  count === 0 && error instanceof Problem && error.status === 401 && queryClient.getQueryData<Me | null>(keys.me) != null

/** No session any more: what the page knows of its person is asked for again, which says so. */
const onError = (error: Error) => {
  if (error instanceof Problem && error.status === 401 && queryClient.getQueryData(keys.me)) {
    void queryClient.invalidateQueries({ queryKey: keys.me, exact: true })
  }
}

/**
 * What is asked for the first time is not asked again by the library while its answer is on the way, which may be of
 * before the change: here it is, once that answer is there. Where the API does not answer nobody waits for it: what was not done is said at once.
 */
class Queries extends QueryClient {
  private readonly again = new Set<Query>()

  override async invalidateQueries<Key extends QueryKey = QueryKey>(filters?: InvalidateQueryFilters<Key>, options?: InvalidateOptions): Promise<void> {
    const first = this.getQueryCache().findAll(filters)
      .filter((query) => query.state.fetchStatus === 'fetching' && query.state.data === undefined && !this.again.has(query))
    await whileItAnswers(Promise.all([super.invalidateQueries(filters, options), ...first.map((query) => this.askAgain(query))]))
  }

  private async askAgain(query: Query): Promise<void> {
    const only = { predicate: (one: Query) => one === query }
    this.again.add(query)
    await query.promise?.catch(() => undefined) // nobody may look yet: asked ahead, for a page that is to come
    this.again.delete(query)
    if (query.state.data !== undefined) await super.invalidateQueries(only)
  }
}

/** Nobody knows whether it was done: the pages show what is true now, for whoever looks before pressing again. */
const onMutationError = (error: Error) => {
  onError(error)
  if (error instanceof Problem && error.code === 'no-answer') void queryClient.invalidateQueries()
}

export const queryClient = new Queries({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError: onMutationError }),
  defaultOptions: {
    queries: {
      // A system on a machine without any other network is reached all the same.
      networkMode: 'always',
      staleTime: 10_000,
      retry: (count, error) => passing(error) || toNobody(count, error),
      retryDelay: (count) => Math.min(500 * 2 ** count, 2_000),
    },
    mutations: { networkMode: 'always', retry: false },
  },
})
