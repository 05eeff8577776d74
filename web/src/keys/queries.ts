import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type ApiKey = Schemas['Key']
export type KeyIn = Schemas['KeyIn']
export type IssuedKey = Schemas['IssuedKey']
export type Scope = Schemas['Scope']

export const issueKey = (key: KeyIn) => body(client.POST('/api/v1/keys', { body: key }))

export const revokeKey = (prefix: string) => body(client.DELETE('/api/v1/keys/{prefix}', { params: { path: { prefix } } }))

export const useApiKeys = () => useQuery({ queryKey: adminKeys.apiKeys, queryFn: () => body(client.GET('/api/v1/keys')) })
