import { describe, expect, it } from 'vitest'
import { judge } from './meanwhile'

const T = '2026-12-02T06:00:00'
const details = (registered: string, more: object = {}) =>
  ({ state: 'waiting', moved_up: 0, rounds_missed: 0, registered_at: `${T}.${registered}Z`, not_before: null, ...more })
type Entry = Parameters<typeof judge>[0][number]
const entry = (id: number, fact: string, registration: number, of: ReturnType<typeof details>, round = 1): Entry =>
  [id, '2026-12-02T07:00:00.000000Z', fact, round, registration, of]

// Mine is registration 7, registered in the 500th microsecond.
const mine = (more: object = {}, fact = 'registered') => [entry(10, fact, 7, details('000500', more))]
const call = (registered: string, more: object = {}) => entry(11, 'called', 8, details(registered, { state: 'calling', ...more }))

describe('who was called while I stood in the line', () => {
  it('given one who registered a microsecond sooner when called then they stood before me', () => {
    expect(judge(mine(), [...mine(), call('000499')])).toMatchObject({ called: 1, before: 1, unexplained: 0 })
  })

  it('given one who registered later when called then it has no reason', () => {
    expect(judge(mine(), [...mine(), call('000501')])).toMatchObject({ called: 1, before: 0, unexplained: 1 })
  })

  it.each([
    ['was on the line with 137', {}, { engaged: [7] }],
    ['was being changed', {}, { passed: [7] }],
    ['was to be called only later', { not_before: '2026-12-02T08:00:00Z' }, {}],
    ['was being called myself', { state: 'calling' }, {}],
  ])('given that I %s when a later one is called then it is explained', (_, my, theirs) => {
    expect(judge(mine(my), [...mine(my), call('000501', theirs)])).toMatchObject({ before: 0, unexplained: 0 })
  })

  it('given that I was due again when a later one is called then it has no reason', () => {
    const my = mine({ not_before: '2026-12-02T06:30:00Z' })
    expect(judge(my, [...my, call('000501')]).unexplained).toBe(1)
  })

  it('given that a person moved another one up when they are called then they stood before me', () => {
    expect(judge(mine(), [...mine(), call('000501', { moved_up: 1 })])).toMatchObject({ before: 1, unexplained: 0 })
  })

  it('given calls of another round, or after my place was over, when read then they are none of mine', () => {
    const over = [...mine(), entry(12, 'outcome', 7, details('000500', { state: 'reached' }))]
    const others = [entry(11, 'called', 9, details('000900'), 2), entry(13, 'called', 8, details('000900'))]
    expect(judge(over, [...over, ...others])).toMatchObject({ called: 0, unexplained: 0 })
  })
})
