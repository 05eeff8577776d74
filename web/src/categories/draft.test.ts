import { expect, it } from 'vitest'
import type { Category } from '../api/city'
import { arePairs, draftOf, isTime, toCategory } from './draft'

const LIGHTS: Category = {
  id: 2, code: 'lights', name_fa: 'روشنایی', name_en: 'Lights', icon: 'bulb', key: 2, urgent: false, answer: { amount: 4, unit: 'hours' },
  solve: { amount: 3, unit: 'days' }, evidence: 'text', questions: [{ fa: 'کجا؟', en: 'Where?' }],
  departments: [{ district: 3, department_id: 7 }], active: true, spoken: {},
}

it('given a category when its form is opened and saved then nothing is different', () => {
  expect({ id: LIGHTS.id, spoken: LIGHTS.spoken, ...toCategory(draftOf(LIGHTS)) }).toEqual(LIGHTS)
})

it('given a form when filled in with Persian digits and blank lines then the API gets numbers and pairs', () => {
  const draft = { ...draftOf(LIGHTS), key: '', solve: { amount: '۱۲', unit: 'hours' as const }, questions: { fa: 'یک\n\n دو ', en: 'one\ntwo\n' } }
  const made = toCategory(draft)
  expect([made.key, made.solve.amount]).toEqual([null, 12])
  expect(made.questions).toEqual([{ fa: 'یک', en: 'one' }, { fa: 'دو', en: 'two' }])
  expect(arePairs(draft.questions)).toBe(true)
  expect(arePairs({ fa: 'یک', en: '' })).toBe(false)
})

it.each([
  ['۳', 'days', true], ['٣', 'days', true], ['3', 'days', true], ['0', 'days', false], ['', 'days', false], ['1.5', 'days', false],
  ['سه', 'days', false], ['366', 'days', true], ['367', 'days', false], ['1000', 'hours', true], ['1001', 'hours', false],
] as const)('given the time %s %s when typed then it is one: %s', (amount, unit, is) => {
  expect(isTime({ amount, unit })).toBe(is)
})
