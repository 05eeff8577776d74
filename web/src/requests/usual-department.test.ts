import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keepDepartment, meantDepartment, usualDepartment } from './usual-department'

const department = (id: number) => ({ id, name_fa: '', name_en: '', active: true, number: null })
const [LIGHTS, ROADS] = [department(4), department(7)]

beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
})
afterEach(() => vi.unstubAllGlobals())

it('given a category that was referred when it is chosen again then its last department is, and of another one none', () => {
  keepDepartment({ category: 2, department: ROADS })
  keepDepartment({ category: 2, department: LIGHTS })
  keepDepartment({ category: 2, department: null })
  expect(usualDepartment('2', [LIGHTS, ROADS])).toBe('4')
  expect(usualDepartment('3', [LIGHTS, ROADS])).toBe('')
  expect(usualDepartment('', [LIGHTS, ROADS])).toBe('')
})

it('given a department that is out of use when its category is chosen then none is', () => {
  keepDepartment({ category: 2, department: LIGHTS })
  expect(usualDepartment('2', [{ ...LIGHTS, active: false }, ROADS])).toBe('')
  expect(usualDepartment('2', [])).toBe('')
})

it('given a category with departments by district when it is chosen then the district’s own goes first, then the one of all others, then the usual', () => {
  const category = { id: 2, departments: [{ district: 0, department_id: 7 }, { district: 3, department_id: 4 }] }
  expect(meantDepartment(category, '3', [LIGHTS, ROADS])).toBe('4')
  expect(meantDepartment(category, '5', [LIGHTS, ROADS])).toBe('7')
  expect(meantDepartment(category, '', [LIGHTS, ROADS])).toBe('7')
  keepDepartment({ category: 2, department: LIGHTS })
  expect(meantDepartment({ ...category, departments: [] }, '3', [LIGHTS, ROADS])).toBe('4')
  expect(meantDepartment(category, '5', [LIGHTS, { ...ROADS, active: false }])).toBe('4')
  expect(meantDepartment(undefined, '5', [LIGHTS, ROADS])).toBe('')
})
