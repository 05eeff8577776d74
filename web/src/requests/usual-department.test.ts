import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keepDepartment, usualDepartment } from './usual-department'

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
