import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { adminKeys } from '../api/keys'

type Schemas = components['schemas']
export type Person = Schemas['Person']
export type PersonIn = Schemas['PersonIn']
export type PersonChange = Schemas['PersonChange']
export type Secret = Schemas['Secret']
export type Role = Schemas['Role']

const ofPerson = (person_id: number) => ({ params: { path: { person_id } } })

export const addPerson = (person: PersonIn) => body(client.POST('/api/v1/people', { body: person }))

export const changePerson = (id: number, change: PersonChange) =>
  body(client.PATCH('/api/v1/people/{person_id}', { ...ofPerson(id), body: change }))

export const disablePerson = (id: number) => body(client.POST('/api/v1/people/{person_id}/disable', ofPerson(id)))

export const enablePerson = (id: number) => body(client.POST('/api/v1/people/{person_id}/enable', ofPerson(id)))

export const newPassword = (id: number) => body(client.POST('/api/v1/people/{person_id}/password', ofPerson(id)))

export const newPin = (id: number) => body(client.POST('/api/v1/people/{person_id}/pin', ofPerson(id)))

export const endSessions = (id: number) => body(client.DELETE('/api/v1/people/{person_id}/sessions', ofPerson(id)))

export const resetSecondFactor = (id: number) => body(client.DELETE('/api/v1/people/{person_id}/second-factor', ofPerson(id)))

export const usePeople = (enabled = true) =>
  useQuery({ queryKey: adminKeys.people, queryFn: () => body(client.GET('/api/v1/people')), enabled })
