/** The officials, the subjects and the categories of the city. */
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from './client'
import { planningKey } from './keys'

type Schemas = components['schemas']
export type Subject = Schemas['Subject']
export type Category = Schemas['Category']
export type OfficialWithNumber = Schemas['OfficialWithNumber']

export const getOfficials = () => body(client.GET('/api/v1/officials'))

export const useSubjects = () =>
  useQuery({
    queryKey: [...planningKey, 'subjects'],
    queryFn: () => body(client.GET('/api/v1/subjects')),
    staleTime: 60_000,
  })

export const useCategories = () =>
  useQuery({
    queryKey: [...planningKey, 'categories'],
    queryFn: () => body(client.GET('/api/v1/categories')),
    staleTime: 60_000,
  })

export const useOfficials = () => useQuery({ queryKey: ['planning', 'officials'], queryFn: getOfficials, staleTime: 60_000 })
