import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { body, client } from '../api/client'
import type { components } from '../api/schema.gen'

type Schemas = components['schemas']
export type Report = Schemas['Report']
export type Row = Schemas['Row']
export type Numbers = Schemas['Numbers']
export type By = Report['by']

/** What is reported: both days, as 2026-12-02, are included. */
export interface Span {
  by: By
  from: string
  until: string
}

export const inOrder = ({ from, until }: Span) => from <= until

export const useReports = (span: Span) =>
  useQuery({
    queryKey: ['reports', span],
    queryFn: () => body(client.GET('/api/v1/reports', { params: { query: span } })),
    enabled: inOrder(span),
    placeholderData: keepPreviousData,
  })

/** Where the browser gets the same as a file. */
export const fileUrl = (kind: 'csv' | 'xlsx', span: Span, language: string) =>
  `/api/v1/reports.${kind}?${new URLSearchParams({ ...span, language }).toString()}`
