/** One’s own account. */
import { type QueryClient, useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { accountKeys } from '../api/keys'
import { CODES } from '../api/session'

export type Account = components['schemas']['Account']
export type MySession = components['schemas']['MySession']

/** A second factor to set up; the password is asked once more except in signing in. */
export const offerSecondFactor = (password: string) =>
  body(client.POST('/api/v1/account/second-factor/offer', { body: { password } }))

/** Takes it into use; the recovery codes. */
export const confirmSecondFactor = async (code: string) =>
  (await body(client.PUT('/api/v1/account/second-factor', { body: { code } }))).codes

export const removeSecondFactor = (password: string) =>
  body(client.POST('/api/v1/account/second-factor/remove', { body: { password } }))

export const changePassword = (password: string, fresh: string) =>
  body(client.PUT('/api/v1/account/password', { body: { password, new: fresh } }))

export const changePin = (password: string, pin: string) =>
  body(client.PUT('/api/v1/account/pin', { body: { password, pin } }))

export const endSession = (session_id: string) =>
  body(client.DELETE('/api/v1/account/sessions/{session_id}', { params: { path: { session_id } } }))

export const endOtherSessions = () => body(client.DELETE('/api/v1/account/sessions'))

export const useAccount = () =>
  useQuery({ queryKey: accountKeys.account, queryFn: () => body(client.GET('/api/v1/account')) })

/** Recovery codes just made, which hide every page until their person has noted them; empty after a reload: they are gone, and not noted. */
export const useFreshCodes = () =>
  useQuery<string[] | null>({
    queryKey: accountKeys.codes, queryFn: () => null, initialData: () => (sessionStorage.getItem(CODES) ? [] : null), enabled: false,
  }).data

/** They were made, or noted (null). This window remembers that there are some, and none of them. */
export function setFreshCodes(queries: QueryClient, codes: string[] | null) {
  if (codes) sessionStorage.setItem(CODES, '1')
  else sessionStorage.removeItem(CODES)
  queries.setQueryData(accountKeys.codes, codes)
}
