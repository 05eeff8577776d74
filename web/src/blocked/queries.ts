import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type BlockedNumber = Schemas['BlockedNumber']
export type BlockIn = Schemas['BlockIn']

export const blockNumber = (block: BlockIn) => body(client.POST('/api/v1/blocked', { body: block }))

export const unblockNumber = (number: string) =>
  body(client.DELETE('/api/v1/blocked/{number}', { params: { path: { number } } }))

/** How many places blocking the number would give up. */
export const countPlaces = (number: string) =>
  body(client.GET('/api/v1/blocked/{number}/places', { params: { path: { number } } }))

export const useBlocked = (text: string) =>
  useQuery({
    queryKey: [...adminKeys.blocked, text],
    queryFn: () => body(client.GET('/api/v1/blocked', { params: { query: { text } } })),
    placeholderData: (before) => before,
  })
