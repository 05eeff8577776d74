import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type SetUp = Schemas['SetUp']
export type Trunk = Schemas['SetUpTrunk']
export type TrialCall = Schemas['TrialCall']
export type Message = Schemas['OutboxMessage']
export type CallTrial = Schemas['CallTrial']

const SOON_MS = 1000
const LOOK_MS = 10_000

/** Whether something is under way of which the page says each step. */
const goesOn = ({ calls, texts, backup }: SetUp) =>
  calls.some(({ result }) => result === null) || texts.some(({ state, attempts }) => (state === 'pending' && attempts === 0) || state === 'sending') || backup.asked_at !== null

export const useSetUp = () =>
  useQuery({
    queryKey: adminKeys.setUp,
    queryFn: () => body(client.GET('/api/v1/setup')),
    refetchInterval: ({ state: { data } }) => (data && goesOn(data) ? SOON_MS : LOOK_MS),
  })

export const tryCall = (trial: CallTrial) => body(client.POST('/api/v1/setup/calls', { body: trial }))
export const tryText = ({ number, language }: CallTrial) => body(client.POST('/api/v1/setup/texts', { body: { number, language } }))
export const askBackup = () => body(client.POST('/api/v1/setup/backup'))
export const sampleUrl = (language: string) => `/api/v1/setup/voices/${language}`

/** Tries something live; what becomes of it is asked for at once. */
export function useTrial<Wanted = void>(act: (wanted: Wanted) => Promise<unknown>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: act, onSettled: () => queries.invalidateQueries({ queryKey: adminKeys.setUp }) })
}
