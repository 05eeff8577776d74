import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

type Schemas = components['schemas']
export type OfficialIn = Schemas['OfficialIn']
export type OfficialChange = Schemas['OfficialChange']

export const useClips = () =>
  useQuery({
    queryKey: ['clips'],
    queryFn: () => body(client.GET('/api/v1/officials/clips')),
    staleTime: Infinity,
  })

export const addOfficial = (official: OfficialIn) => body(client.POST('/api/v1/officials', { body: official }))

export const changeOfficial = (official_id: number, change: OfficialChange) =>
  body(client.PATCH('/api/v1/officials/{official_id}', { params: { path: { official_id } }, body: change }))
