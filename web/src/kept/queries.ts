import { useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'
import type { components } from '../api/schema.gen'

export type Kept = components['schemas']['Kept']
export type Backup = components['schemas']['Backup']

export const useKept = () => useQuery({ queryKey: adminKeys.kept, queryFn: () => body(client.GET('/api/v1/kept')) })
