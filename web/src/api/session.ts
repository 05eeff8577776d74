/** The session of the person on this page: one that ends leaves the page as it is, and they sign in over it. */
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { body, client } from './client'
import { accountKeys, keys } from './keys'
import { Problem } from './problem'
import { queryClient } from './query-client'
import type { Me } from './types'

const getMe = () => body(client.GET('/api/v1/me'))

/** What is half written of a conversation is kept under this, and its callback’s number. */
export const DRAFT = 'hotline137.said.'

/** That recovery codes were shown in this window, which nobody has said to have noted. */
export const CODES = 'hotline137.codes'

/** It is the citizen’s matter, and not for who sits here next. */
const dropDrafts = () =>
  Object.keys(localStorage).filter((key) => key.startsWith(DRAFT)).forEach((key) => localStorage.removeItem(key))

export async function signOut() {
  await body(client.DELETE('/api/v1/session'))
  dropDrafts()
  sessionStorage.removeItem(CODES)
}

/** Whether the session ended while a person was at the page. */
export const useSessionOver = () =>
  useQuery({ queryKey: keys.sessionOver, queryFn: () => false, initialData: false, enabled: false }).data

/** Somebody has signed in, in this window or in another one. Another person gets a page of their own. */
export function signedIn(queries: QueryClient, me: Me): void {
  const before = queries.getQueryData<Me | null>(keys.me)
  if (before && before.username !== me.username) {
    dropDrafts()
    sessionStorage.removeItem(CODES)
    location.assign('/')
    return
  }
  const wasOver = queries.getQueryData<boolean>(keys.sessionOver)
  queries.setQueryData(keys.sessionOver, false)
  queries.setQueryData(keys.me, me)
  queries.removeQueries({ queryKey: accountKeys.step })
  if (wasOver) void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] })
}

/** Asked of the server: who is signed in, or was. Once it is asked anew (`signal`), this answer may be older, and says nothing. */
export async function whoseItIs(queries: QueryClient, signal?: AbortSignal): Promise<Me | null> {
  const known = () => queries.getQueryData<Me | null>(keys.me) ?? null
  const isOver = () => queries.getQueryData<boolean>(keys.sessionOver) ?? false
  const [before, wasOver] = [known(), isOver()]
  try {
    const me = await getMe()
    if (signal?.aborted) return me
    if (known()?.username !== before?.username) return known() // somebody has signed out, or in, since it was asked
    signedIn(queries, me)
    return me
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401 || signal?.aborted) throw error
    // An answer to a question from before somebody signed in says nothing any more.
    if (known() !== before || (wasOver && !isOver())) return known()
    queries.setQueryData(keys.sessionOver, before !== null)
    return before
  }
}

/** Signed in again in another window: asked so often. */
const OVER = 3_000

/** Whose page it is: who is signed in, or was when the session ended (`useSessionOver`); null for nobody. */
export const useMe = () =>
  useQuery({
    queryKey: keys.me,
    queryFn: ({ client: queries, signal }) => whoseItIs(queries, signal),
    refetchInterval: ({ state }) => (state.data && queryClient.getQueryData(keys.sessionOver) ? OVER : false),
  })
