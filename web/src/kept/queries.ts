import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

export type Kept = components['schemas']['RetentionRow']
export type Backup = components['schemas']['Backup']

export const useKept = () => useQuery({ queryKey: adminKeys.kept, queryFn: () => body(client.GET('/api/v1/kept')) })
