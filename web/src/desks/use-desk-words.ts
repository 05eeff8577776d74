import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'
import { useLanguage } from '../language/language'
import type { BreakReason } from './break-reasons'

export type DeskWords = components['schemas']['DeskWords']

export const useDeskWords = () =>
  useQuery({ queryKey: [...planningKey, 'desk-words'], queryFn: () => body(client.GET('/api/v1/desk-words')), staleTime: 60_000 })

/** The city's word for a reason of a break; ours, where it has none. */
export function useBreakWord(): (reason: BreakReason) => string {
  const { code, text } = useLanguage()
  const { data } = useDeskWords()
  return (reason) => data?.breaks[reason]?.[code] ?? text.breaks.reason[reason]
}
