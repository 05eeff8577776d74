import { expect, it } from 'vitest'
import type { Me } from './api/types'
import { home, pagesOf } from './pages'

const me = (role: Me['role'], desk = false) => ({ role, desk: desk ? { id: 1 } : null }) as Me
const names = (role: Me['role'], desk = false) => pagesOf(me(role, desk)).map(({ name }) => name)
const PLANNING = ['rounds', 'requests', 'departments', 'timetable', 'officials', 'subjects', 'holidays', 'account', 'reports', 'wallboard']
const WATCHING = ['recordings', 'blocked', 'desks']

it.each([
  ['operator', true, ['desk', 'official', 'assist', 'requests', 'account', 'wallboard']],
  ['operator', false, ['desk', 'requests', 'account', 'wallboard']],
  ['official', false, ['desk', 'requests', 'account', 'reports', 'wallboard']],
  ['public_relations', false, PLANNING],
  ['supervisor', false, [...PLANNING, ...WATCHING]],
  ['supervisor', true, ['desk', 'official', 'assist', ...PLANNING, ...WATCHING]],
  ['auditor', false, [...PLANNING, ...WATCHING, 'people', 'audit']],
  ['administrator', false, [...PLANNING, ...WATCHING, 'people', 'audit']],
] as const)('given the role %s (a desk: %s) when the menu is shown then it has these pages, in their order', (role, desk, pages) => {
  expect(names(role, desk)).toEqual(pages)
})

it.each([
  ['official', true, '/official'], ['official', false, '/desk'], ['operator', true, '/desk'], ['public_relations', false, '/rounds'],
  ['administrator', true, '/desk'], ['auditor', false, '/rounds'],
] as const)('given the role %s (a desk: %s) when signed in then their work is at %s', (role, desk, address) => {
  expect(home(me(role, desk))).toBe(address)
})
