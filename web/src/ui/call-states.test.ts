import { expect, it } from 'vitest'
import { CALL_STATES } from './call-states'
import { words as en } from './words.en'
import { words as fa } from './words.fa'

it('given the seven states of a call when they are shown then each has a word of its own in both languages', () => {
  const all = Object.values(CALL_STATES).map(({ word }) => word)
  expect(all).toHaveLength(7)
  for (const words of [fa, en]) expect(new Set(all.map((word) => words.callStates[word])).size).toBe(7)
})

it('given who waits and who is cut off when it begins then it is heard, and nothing else is', () => {
  const heard = Object.entries(CALL_STATES).filter(([, { sound }]) => sound)
  expect(heard.map(([state, { sound }]) => [state, sound])).toEqual([['waiting', 'ring'], ['held', 'alarm']])
})
