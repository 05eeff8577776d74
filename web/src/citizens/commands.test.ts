import { expect, it } from 'vitest'
import type { Me } from '../api/types'
import { en } from '../language/en'
import { fa } from '../language/fa'
import { commandsOf, labelOf } from './commands'

const desk = { id: 1, phone: 'browser', phone_connected: false, break_since: null }
const me = (role: Me['role'], own: object | null = null) => ({ role, desk: own && { ...desk, ...own } }) as Me
const here = { page: 'desk', scheme: 'auto', phone: 'disconnected' } as const
const does = (who: Me, now: Partial<Parameters<typeof commandsOf>[1]> = {}) => commandsOf(who, { ...here, ...now }).map((one) => one.does)
const BREAKS = Array.from({ length: 6 }, () => 'break')
const ALWAYS = ['scheme', 'scheme', 'language', 'sign-out']

it.each([
  ['an operator at a desk', me('operator', {}), {}, ['phone', ...BREAKS, 'keys', ...ALWAYS]],
  ['one whose phone is there', me('operator', { phone_connected: true }), {}, [...BREAKS, 'keys', ...ALWAYS]],
  ['one with a SIP phone', me('official', { phone: 'sip' }), {}, [...BREAKS, 'keys', ...ALWAYS]],
  ['one on a break', me('operator', { phone_connected: true, break_since: '2026-11-28T08:00:00Z' }), {}, ['break-over', 'keys', ...ALWAYS]],
  ['whoever has no desk', me('supervisor'), { page: 'rounds' }, ALWAYS],
  ['an auditor', me('auditor', {}), { page: 'audit' }, ALWAYS],
])('given %s when commands are asked for then there are these', (_, who, now, expected) => {
  expect(does(who, now)).toEqual(expected)
})

it('given a dark page when commands are asked for then it can be light, or as the system is', () => {
  const schemes = commandsOf(me('auditor'), { ...here, scheme: 'dark' }).flatMap((one) => (one.does === 'scheme' ? [one.scheme] : []))
  expect(schemes).toEqual(['light', 'auto'])
})

it.each([fa, en])('given every command when it is called then each has a name of its own', (text) => {
  const all = [...commandsOf(me('operator', {}), here), ...commandsOf(me('operator', { break_since: '2026-11-28T08:00:00Z' }), { ...here, scheme: 'dark' })]
  const names = new Set(all.map((one) => labelOf(one, text, (reason) => text.breaks.reason[reason])))
  expect(names.size).toBe(1 + 6 + 1 + 1 + 3 + 2)
  expect(names).not.toContain('')
})
