import { describe, expect, it } from 'vitest'
import type { Callback, CallbackState, Round } from '../api/types'
import { further } from './further'
import { isOver, likelyRound } from './likely-round'

const callback = (id: number, state: CallbackState) => ({ id, state }) as Callback
const NOON = Date.parse('2026-12-02T12:00:00Z')

interface Given { id: number; phase: Round['phase']; starts: string; kind?: string }
const round = ({ id, phase, starts, kind = 'mayor' }: Given) =>
  ({ id, phase, starts_at: `2026-12-${starts}:00Z`, official: { kind } }) as Round
const likely = (...rounds: Given[]) => likelyRound(rounds.map(round), NOON)?.id

describe('an answer that is overtaken', () => {
  it.each([
    ['claimed', 'dialing', 'dialing'],
    ['ringing', 'dialing', 'ringing'],
    ['closed', 'talking', 'closed'],
    ['ended', 'talking', 'ended'],
    ['waiting', 'screening', 'screening'],
    // An operator has handed them over, our side came back, or the end was a mistake.
    ['screening', 'waiting', 'waiting'],
    ['held', 'talking', 'talking'],
    ['parting', 'talking', 'talking'],
  ] as const)('given %s is known when %s is heard then it is %s', (before, now, then) => {
    expect(further(callback(1, before), callback(1, now)).state).toBe(then)
  })

  it('given another callback when heard then it is shown, whatever the last one was', () => {
    expect(further(callback(1, 'closed'), callback(2, 'claimed'))).toMatchObject({ id: 2, state: 'claimed' })
    expect(further(undefined, callback(2, 'ringing')).state).toBe('ringing')
  })
})

describe('the round a desk most likely wants', () => {
  const operators = { id: 9, phase: 'live', starts: '01T06:00', kind: 'operators' } as const
  const yesterdays = { id: 1, phase: 'over', starts: '01T09:00' } as const
  const begun = { id: 2, phase: 'closed', starts: '02T11:00' } as const
  const live = { id: 3, phase: 'live', starts: '02T13:00' } as const
  const tomorrows = { id: 4, phase: 'open', starts: '03T09:00' } as const

  it('given several when asked then a live one comes first, then one that has begun, then the operators’ line, then the next', () => {
    expect(likely(operators, tomorrows, begun, live, yesterdays)).toBe(3)
    expect(likely(operators, tomorrows, begun, yesterdays)).toBe(2)
    expect(likely(tomorrows, operators, yesterdays)).toBe(9)
    expect(likely({ ...tomorrows, id: 5, starts: '04T09:00' }, tomorrows, yesterdays)).toBe(4)
  })

  it('given only what is over when asked then it is the last one; given nothing, none', () => {
    expect(likely(yesterdays, { id: 8, phase: 'cancelled', starts: '02T09:00' })).toBe(8)
    expect(likely()).toBeUndefined()
  })

  it('given a phase when asked then what is over or cancelled is over', () => {
    expect([yesterdays, live, { ...live, phase: 'cancelled' } as const].map((given) => isOver(round(given)))).toEqual([true, false, true])
    expect(isOver(undefined)).toBe(false)
  })
})
