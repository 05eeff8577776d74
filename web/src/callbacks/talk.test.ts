import { expect, it } from 'vitest'
import { talkOf } from './talk'

const BEGIN = Date.parse('2026-12-02T06:00:00Z')
const after = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString()
const at = (seconds: number) => BEGIN + seconds * 1000
const spoken = { talking_at: after(0), held_at: null, held_seconds: 0 }

it('given nobody who has spoken yet when asked then there is no time', () => {
  expect(talkOf({ ...spoken, talking_at: null }, at(40))).toBeNull()
})

it('given a conversation when it was held and is again then both times run, and the whole counts it', () => {
  expect(talkOf(spoken, at(40))).toEqual({ lasted: 40_000, held: 0 })
  expect(talkOf({ ...spoken, held_seconds: 10 }, at(100))).toEqual({ lasted: 100_000, held: 10_000 })
  expect(talkOf({ ...spoken, held_seconds: 10, held_at: after(100) }, at(105))).toEqual({ lasted: 105_000, held: 15_000 })
})

it('given a conversation that is over when looked at later then its times stand still', () => {
  expect(talkOf({ ...spoken, held_seconds: 10, ended_at: after(60) }, at(500))).toEqual({ lasted: 60_000, held: 10_000 })
})
