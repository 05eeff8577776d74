/** The calendar, the timetable’s rules and the city’s word about a day. */
import { useQuery } from '@tanstack/react-query'
import type { components } from '../../shared/api/schema.gen'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'

type Schemas = components['schemas']
export type CalendarDay = Schemas['CalendarDay']
export type Coming = Schemas['Coming']
export type DayOff = Schemas['DayOff']
export type Rule = Schemas['MadeRule']
export type RuleIn = Schemas['Rule']
export type RuleChange = Schemas['RuleChange']
export type DayOverride = Schemas['DayOverrideIn']

const ofDays = (from: string, until: string) => ({ params: { query: { from, until } } })

const ofRule = (rule_id: number) => ({ params: { path: { rule_id } } })

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

export const addRule = (rule: RuleIn) => body(client.POST('/api/v1/timetable', { body: rule }))

export const changeRule = (id: number, change: RuleChange) =>
  body(client.PATCH('/api/v1/timetable/{rule_id}', { ...ofRule(id), body: change }))

/** These of the rule's rounds become what the rule says now. */
export const catchUp = (id: number, round_ids: number[], reason: string, short_notice: boolean) =>
  body(client.POST('/api/v1/timetable/{rule_id}/catch-up', { ...ofRule(id), body: { round_ids, reason, short_notice } }))

export const overrideDay = (id: number, override: DayOverride) =>
  body(client.POST('/api/v1/timetable/{rule_id}/day-overrides', { ...ofRule(id), body: override }))

/** The city's word about a day: closed, or (`works`) open although the calendar says holiday. */
export const addHoliday = (day: string, name: string, works: boolean) =>
  body(client.POST('/api/v1/holidays', { body: { day, name, works } }))

export const removeHoliday = (day: string) =>
  body(client.DELETE('/api/v1/holidays/{day}', { params: { path: { day } } }))
