import { expect, it } from 'vitest'
import { CALL_STATES, heard } from './call-states'
import { words as en } from './words.en'
import { words as fa } from './words.fa'

it('given the seven states of a call when they are shown then each has a word of its own in both languages', () => {
  const all = Object.values(CALL_STATES).map(({ word }) => word)
  expect(all).toHaveLength(7)
  for (const words of [fa, en]) expect(new Set(all.map((word) => words.callStates[word])).size).toBe(7)
})

it('given who waits and who is cut off when it begins then it is heard, and nothing else is', () => {
  const heard = Object.entries(CALL_STATES).filter(([, { sound }]) => sound)
  expect(heard.map(([state, { sound }]) => [state, sound])).toEqual([['waiting', 'ring'], ['talking', 'ring-once'], ['held', 'alarm']])
})

it.each([
  // A live call, one made ahead, a colleague's citizen; a conversation whose first steps were not seen; one that was cut.
  [null, 'waiting', 'ring-once'],
  [null, 'talking', 'ring-once'],
  ['held', 'talking', 'ring-once'],
  ['talking', 'held', 'alarm'],
  ['waiting', 'held', 'alarm'],
  // The desk called them, speaks with them, lets them wait and comes back, or undoes an end.
  [null, 'calling', null],
  ['calling', 'waiting', null],
  ['waiting', 'talking', null],
  ['talking', 'waiting', null],
  ['after', 'talking', null],
  // Nothing changed, or nobody is there; and a page that is opened on a held call shows it.
  ['talking', 'talking', null],
  ['talking', null, null],
  [null, 'held', null],
] as const)('given a call that was %s when it is %s then the desk hears %s', (before, now, sound) => {
  expect(heard(before, now, false)).toBe(sound)
})

it('given a desk that has just asked for the next one when they come then nothing rings, but what is lost is heard', () => {
  expect(heard(null, 'waiting', true)).toBeNull()
  expect(heard(null, 'talking', true)).toBeNull()
  expect(heard('talking', 'held', true)).toBe('alarm')
})
