import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { keys } from '../api/keys'

export type PersonDay = components['schemas']['PersonDay']

/** What I did in the week of a day (2026-12-02), each day by itself; below `me`, for the same events change both. */
export const useMyWeek = (day: string) =>
  useQuery({
    queryKey: [...keys.me, 'week', day],
    queryFn: () => body(client.GET('/api/v1/me/week', { params: { query: { day } } })),
    placeholderData: keepPreviousData,
  })
