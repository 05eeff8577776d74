import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'

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

export const inOrder = ({ from, until }: Pick<Span, 'from' | 'until'>) => from <= until

export const useReports = (span: Span) =>
  useQuery({
    queryKey: ['reports', span],
    queryFn: () => body(client.GET('/api/v1/reports', { params: { query: span } })),
    enabled: inOrder(span),
    placeholderData: keepPreviousData,
  })

export const useSatisfaction = ({ from, until }: Pick<Span, 'from' | 'until'>) =>
  useQuery({
    queryKey: ['reports', 'satisfaction', from, until],
    queryFn: () => body(client.GET('/api/v1/reports/satisfaction', { params: { query: { from, until } } })),
    enabled: inOrder({ from, until }),
    placeholderData: keepPreviousData,
  })

export const satisfactionUrl = (kind: 'csv' | 'xlsx', { from, until }: Pick<Span, 'from' | 'until'>, language: string) =>
  `/api/v1/reports/satisfaction.${kind}?${new URLSearchParams({ from, until, language }).toString()}`

/** Where the browser gets the same as a file. */
export const fileUrl = (kind: 'csv' | 'xlsx', span: Span, language: string) =>
  `/api/v1/reports.${kind}?${new URLSearchParams({ ...span, language }).toString()}`
