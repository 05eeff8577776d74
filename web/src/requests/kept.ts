/** Filters that a person keeps. */
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

export type Kept = components['schemas']['RequestFilter']

export const useKept = () =>
  useQuery({ queryKey: ['request-filters'], queryFn: () => body(client.GET('/api/v1/me/request-filters')), staleTime: 60_000 })

export const keepFilter = (filter: components['schemas']['RequestFilterIn']) => body(client.POST('/api/v1/me/request-filters', { body: filter }))

const one = (filter_id: number) => ({ params: { path: { filter_id } } })

export const renameFilter = (id: number, name: string) => body(client.PATCH('/api/v1/me/request-filters/{filter_id}', { ...one(id), body: { name } }))

export const dropFilter = (id: number) => body(client.DELETE('/api/v1/me/request-filters/{filter_id}', one(id)))
