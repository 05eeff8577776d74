/** What public relations plans with: the calendar, the timetable's rules, offices, subjects, holidays. */
import { useQuery } from '@tanstack/react-query'
import type { Code } from '../language/language'
import { body, client } from './client'
import { keys } from './queries'
import type { components } from './schema.gen'

type Schemas = components['schemas']
export type CalendarDay = Schemas['CalendarDay']
export type Coming = Schemas['Coming']
export type DayOff = Schemas['DayOff']
export type Rule = Schemas['MadeRule']
export type RuleIn = Schemas['Rule']
export type RuleChange = Schemas['RuleChange']
export type Exception = Schemas['ExceptionIn']
export type Subject = Schemas['Subject']
export type OfficialIn = Schemas['OfficialIn']
export type OfficialChange = Schemas['OfficialChange']

/** Everything below this is asked again when the city's plans change. */
export const planningKey = ['planning']

const ofRule = (rule_id: number) => ({ params: { path: { rule_id } } })
const ofDays = (from: string, until: string) => ({ params: { query: { from, until } } })

export const useCalendar = (from: string, until: string) =>
  useQuery({
    queryKey: [...planningKey, 'calendar', from, until],
    queryFn: () => body(client.GET('/api/v1/calendar', ofDays(from, until))),
    placeholderData: (before) => before,
  })

export const useRules = () =>
  useQuery({ queryKey: [...planningKey, 'rules'], queryFn: () => body(client.GET('/api/v1/timetable')) })

/** The rule's days, as they are made and as they will be. */
export const useRuleDays = (id: number, from: string, until: string) =>
  useQuery({
    queryKey: [...planningKey, 'rules', id, from, until],
    queryFn: () => body(client.GET('/api/v1/timetable/{rule_id}/days', {
      params: { path: { rule_id: id }, query: { from, until } },
    })),
  })

/** The rule's rounds that are not as the rule would make them now. */
export const useBehind = (id: number) =>
  useQuery({
    queryKey: [...planningKey, 'rules', id, 'behind'],
    queryFn: () => body(client.GET('/api/v1/timetable/{rule_id}/behind', ofRule(id))),
  })

export const useHolidays = (from: string, until: string) =>
  useQuery({
    queryKey: [...planningKey, 'holidays', from, until],
    queryFn: () => body(client.GET('/api/v1/holidays', ofDays(from, until))),
  })

export const useSubjects = () =>
  useQuery({
    queryKey: [...planningKey, 'subjects'],
    queryFn: () => body(client.GET('/api/v1/subjects')),
    staleTime: 60_000,
  })

export const useClips = () =>
  useQuery({
    queryKey: ['clips'],
    queryFn: () => body(client.GET('/api/v1/officials/clips')),
    staleTime: Infinity,
  })

/** Whence a round's carried registrations came, and whither those it did not reach went. */
export const useCarries = (round_id: number) =>
  useQuery({
    queryKey: [...keys.round(round_id), 'carries'],
    queryFn: () => body(client.GET('/api/v1/rounds/{round_id}/carries', { params: { path: { round_id } } })),
  })

export const useHistory = (round_id: number, language: Code) =>
  useQuery({
    queryKey: [...keys.round(round_id), 'history', language],
    queryFn: () => body(client.GET('/api/v1/rounds/{round_id}/history', { params: { path: { round_id }, query: { language } } })),
  })

export const addRule = (rule: RuleIn) => body(client.POST('/api/v1/timetable', { body: rule }))

export const changeRule = (id: number, change: RuleChange) =>
  body(client.PATCH('/api/v1/timetable/{rule_id}', { ...ofRule(id), body: change }))

/** These of the rule's rounds become what the rule says now. */
export const catchUp = (id: number, round_ids: number[], reason: string, short_notice: boolean) =>
  body(client.POST('/api/v1/timetable/{rule_id}/catch-up', { ...ofRule(id), body: { round_ids, reason, short_notice } }))

export const exceptDay = (id: number, exception: Exception) =>
  body(client.POST('/api/v1/timetable/{rule_id}/exceptions', { ...ofRule(id), body: exception }))

/** The city's word about a day: closed, or (`works`) open although the calendar says holiday. */
export const addHoliday = (day: string, name: string, works: boolean) =>
  body(client.POST('/api/v1/holidays', { body: { day, name, works } }))

export const removeHoliday = (day: string) =>
  body(client.DELETE('/api/v1/holidays/{day}', { params: { path: { day } } }))

export const addOfficial = (official: OfficialIn) => body(client.POST('/api/v1/officials', { body: official }))

export const changeOfficial = (official_id: number, change: OfficialChange) =>
  body(client.PATCH('/api/v1/officials/{official_id}', { params: { path: { official_id } }, body: change }))

export const changeSubject = (subject_id: number, change: Schemas['SubjectChange']) =>
  body(client.PATCH('/api/v1/subjects/{subject_id}', { params: { path: { subject_id } }, body: change }))
