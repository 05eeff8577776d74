import { expect, it } from 'vitest'
import type { Callback } from '../api/types'
import { timeOf } from './conversation-time'

const BEGIN = Date.parse('2026-12-02T06:00:00Z')
const after = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString()
const callback = (said: Partial<Callback>) =>
  ({ state: 'talking', talking_at: after(0), ended_at: null, held_at: null, held_seconds: 0, ...said }) as Callback
const SIX = 6

it('given nobody who speaks when asked then no time is spent', () => {
  expect(timeOf(null, SIX, BEGIN)).toEqual({ talk: null, tone: 'calm' })
  expect(timeOf(callback({ talking_at: null, state: 'ringing' }), SIX, BEGIN)).toEqual({ talk: null, tone: 'calm' })
})

it.each([
  [0, 'calm'], [329, 'calm'], [330, 'soon'], [359, 'soon'], [360, 'late'], [600, 'late'],
] as const)('given six minutes when %i seconds are spoken then the tone is %s', (seconds, tone) => {
  expect(timeOf(callback({}), SIX, BEGIN + seconds * 1000)).toEqual({ talk: { lasted: seconds * 1000, held: 0 }, tone })
})

it('given a conversation that is held when shown then its time runs, and the agreed minutes stand still', () => {
  const held = callback({ state: 'held', held_at: after(35), held_seconds: 10 })
  expect(timeOf(held, SIX, BEGIN + 400_000)).toEqual({ talk: { lasted: 400_000, held: 375_000 }, tone: 'calm' })
})

it('given a conversation that was held when it goes on then the pause is none of the agreed minutes', () => {
  expect(timeOf(callback({ held_seconds: 60 }), SIX, BEGIN + 380_000)).toEqual({ talk: { lasted: 380_000, held: 60_000 }, tone: 'calm' })
  expect(timeOf(callback({ held_seconds: 60 }), SIX, BEGIN + 390_000).tone).toBe('soon')
})

it('given a conversation that is over when shown then its time stands still and presses nobody', () => {
  expect(timeOf(callback({ state: 'ended', ended_at: after(700) }), SIX, BEGIN + 900_000)).toEqual({ talk: { lasted: 700_000, held: 0 }, tone: 'calm' })
  expect(timeOf(callback({ state: 'parting', ended_at: after(358) }), SIX, BEGIN + 900_000)).toEqual({ talk: { lasted: 358_000, held: 0 }, tone: 'calm' })
})
