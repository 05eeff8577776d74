import { useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'

const ofDays = (from: string, until: string) => ({ params: { query: { from, until } } })

export const useHolidays = (from: string, until: string) =>
  useQuery({
    queryKey: [...planningKey, 'holidays', from, until],
    queryFn: () => body(client.GET('/api/v1/holidays', ofDays(from, until))),
  })
