/** What cannot wait, on whatever page somebody is. */
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { keys } from '../api/keys'

export type UrgentMatter = components['schemas']['UrgentMatter']

/** Events tell of each; should one be lost, it is found all the same. */
const LOOK = 20_000

export const useUrgent = () =>
  useQuery({ queryKey: keys.urgent, queryFn: () => body(client.GET('/api/v1/urgent')), refetchInterval: LOOK })

/** Events tell of these, too; somebody's own reading of a request may be late by a minute. */
export const useEscalations = (mine: boolean) =>
  useQuery({
    queryKey: keys.escalations, queryFn: () => body(client.GET('/api/v1/escalations')), refetchInterval: 60_000, enabled: mine,
  })

export const takeEscalation = (request_id: number) =>
  body(client.POST('/api/v1/escalations/{request_id}/take', { params: { path: { request_id } } }))

export const takeUrgent = (matter_id: number) =>
  body(client.POST('/api/v1/urgent/{matter_id}/take', { params: { path: { matter_id } } }))

/** The citizen is called for my desk before all others. */
export const callUrgent = (matter_id: number) =>
  body(client.POST('/api/v1/urgent/{matter_id}/call', { params: { path: { matter_id } } }))
