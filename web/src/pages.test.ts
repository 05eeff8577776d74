import { expect, it } from 'vitest'
import type { Me } from './api/types'
import { fa } from './language/fa'
import { home, nameOf, pages, pagesOf, railOf, tabsOf } from './pages'

const me = (role: Me['role'], desk = false) => ({ role, desk: desk ? { id: 1 } : null }) as Me
const names = (role: Me['role'], desk = false) => pagesOf(me(role, desk)).map(({ name }) => name)
const PLANNING = ['rounds', 'notices', 'citizens', 'requests', 'promises', 'departments', 'categories', 'timetable', 'officials', 'subjects', 'holidays', 'account', 'reports', 'wallboard']
const WATCHING = ['recordings', 'outbox', 'blocked', 'control', 'desks']

it.each([
  ['operator', true, ['desk', 'official', 'assist', 'citizens', 'requests', 'promises', 'account', 'mine', 'wallboard']],
  ['operator', false, ['desk', 'citizens', 'requests', 'promises', 'account', 'mine', 'wallboard']],
  ['official', false, ['desk', 'rounds', 'requests', 'promises', 'account', 'mine', 'reports', 'wallboard']],
  ['public_relations', false, [...PLANNING, 'outbox']],
  ['supervisor', false, [...PLANNING, ...WATCHING]],
  ['supervisor', true, ['desk', 'official', 'assist', ...PLANNING.flatMap((name) => (name === 'reports' ? ['mine', name] : [name])), ...WATCHING]],
  ['auditor', false, [...PLANNING, ...WATCHING, 'people', 'keys', 'kept', 'audit']],
  ['department', false, ['inbox', 'account']],
  ['administrator', false, [...PLANNING, ...WATCHING, 'people', 'keys', 'setup', 'kept', 'audit']],
] as const)('given the role %s (a desk: %s) when asked for their pages then there are these, in their order', (role, desk, pages) => {
  expect(names(role, desk)).toEqual(pages)
})

it.each([
  ['official', true, '/official'], ['official', false, '/desk'], ['operator', true, '/desk'], ['public_relations', false, '/rounds'],
  ['administrator', true, '/desk'], ['auditor', false, '/rounds'], ['supervisor', false, '/control'], ['supervisor', true, '/control'], ['department', false, '/inbox'],
] as const)('given the role %s (a desk: %s) when signed in then their work is at %s', (role, desk, address) => {
  expect(home(me(role, desk))).toBe(address)
})

it.each([
  ['operator', true, ['work:desk', 'citizens:citizens', 'requests:requests', 'figures:mine']],
  ['official', true, ['work:desk', 'promises:promises', 'calendar:rounds', 'requests:requests', 'figures:mine']],
  ['public_relations', false, ['citizens:citizens', 'calendar:rounds', 'notices:notices', 'requests:requests', 'figures:reports']],
  ['department', false, ['inbox:inbox']],
  ['administrator', false, ['control:control', 'citizens:citizens', 'calendar:rounds', 'requests:requests', 'figures:reports', 'records:recordings', 'staff:blocked']],
] as const)('given the role %s (a desk: %s) when the rail is shown then it leads to these', (role, desk, expected) => {
  expect(railOf(me(role, desk)).map(({ destination, pages: [first] }) => `${destination}:${first?.name ?? ''}`)).toEqual(expected)
})

it('given an official when the rail is read then it is of their own, and an operator’s statistics are, too', () => {
  const called = (role: Me['role']) => railOf(me(role, true)).map(({ destination }) => nameOf(me(role), destination, fa))
  expect(called('official')).toEqual(['میز من', 'قول‌های من', 'برنامهٔ من', 'گزارش‌های شهری', 'آمار من'])
  expect(called('operator')).toEqual(['کار من', 'شهروندان', 'گزارش‌های شهری', 'آمار من'])
})

it('given every page when looked for then it is in the rail or a tab of the account', () => {
  const all = me('administrator', true)
  const found = [...[...railOf(all), ...railOf(me('department'))].flatMap((one) => one.pages), ...tabsOf(all, 'account')].map(({ name }) => name)
  expect(found.sort()).toEqual(pages.map(({ name }) => name).sort())
})
