/** Signing in, step by step. */
import { useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { accountKeys } from '../api/keys'
import type { components } from '../api/schema.gen'
import type { Me } from '../api/types'

export type SignInStep = components['schemas']['SignInStep']

/** The person, or what is still to be shown. */
export const signIn = (username: string, password: string): Promise<Me | SignInStep> =>
  body(client.POST('/api/v1/session', { body: { username, password } }))

export const showCode = (code: string) => body(client.POST('/api/v1/session/code', { body: { code } }))

/** Where the browser goes for the city's own sign-in. */
export const CITY_SIGN_IN = '/api/v1/session/city'

/** What the sign-in page asks for now. */
export const useSignInStep = () =>
  useQuery({ queryKey: accountKeys.step, queryFn: () => body(client.GET('/api/v1/session')) })
