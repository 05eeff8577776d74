/** Signing in, step by step. */
import { useQuery, type QueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { accountKeys } from '../api/keys'
import { signedIn } from '../api/session'
import type { Me } from '../api/types'

export type SignInStep = components['schemas']['SignInStep']

/** The person, or what is still to be shown. */
export const signIn = (username: string, password: string): Promise<Me | SignInStep> =>
  body(client.POST('/api/v1/session', { body: { username, password } }))

export const showCode = (code: string): Promise<Me | SignInStep> => body(client.POST('/api/v1/session/code', { body: { code } }))

/** In place of the one that somebody else has set. */
export const choosePassword = (fresh: string): Promise<Me | SignInStep> =>
  body(client.POST('/api/v1/session/password', { body: { new: fresh } }))

/** The first administrator of an empty installation. */
export const makeFirst = (first: components['schemas']['FirstVisit']): Promise<Me | SignInStep> =>
  body(client.POST('/api/v1/session/first', { body: first }))

/** In, or on to the next step. */
export async function entered(queries: QueryClient, answer: Me | SignInStep) {
  // What was asked before this step is answered late: it would lead back to it.
  await queries.cancelQueries({ queryKey: accountKeys.step })
  if ('step' in answer) queries.setQueryData(accountKeys.step, answer)
  else signedIn(queries, answer)
}

/** Where the browser goes for the city's own sign-in. */
export const CITY_SIGN_IN = '/api/v1/session/city'

/** What the sign-in page asks for now. */
export const useSignInStep = () =>
  useQuery({ queryKey: accountKeys.step, queryFn: () => body(client.GET('/api/v1/session')) })
