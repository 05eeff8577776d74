import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { components, operations } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type AuditEntry = Schemas['AuditEntry']
export type AuditFilter = Omit<NonNullable<operations['audit_list_entries']['parameters']['query']>, 'before' | 'limit'>

export const useAudit = (filter: AuditFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.audit, filter],
    queryFn: ({ pageParam }) => body(client.GET('/api/v1/audit', { params: { query: { ...filter, before: pageParam } } })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })

export const useAuditActions = (language: 'fa' | 'en') =>
  useQuery({
    queryKey: [...adminKeys.audit, 'actions', language],
    queryFn: () => body(client.GET('/api/v1/audit/actions', { params: { query: { language } } })),
    staleTime: Infinity,
  })

/** Where the browser fetches the whole of it as a file; that it did is in the audit log. */
export function auditExportUrl(filter: AuditFilter): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return `/api/v1/audit/export?${new URLSearchParams(given).toString()}`
}
