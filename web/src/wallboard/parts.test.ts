import { expect, it } from 'vitest'
import { partName, stateKind, stateName } from './parts'
import { words as en } from './words.en'
import { words as fa } from './words.fa'

const PARTS = [
  'database', 'asterisk', 'ivr', 'dialer', 'scheduler', 'calls', 'trunk', 'texts', 'disk', 'directory', 'trunk 2', 'node 2',
]

it.each([['fa', fa.wallboard], ['en', en.wallboard]])('given every part of the health when named in %s then it has a word', (_, words) => {
  for (const part of PARTS) {
    expect(partName(part, words)).not.toBe(part)
  }
})

it('given every part when named in Persian then no English word is on the wall', () => {
  expect(PARTS.map((part) => partName(part, fa.wallboard)).join(' ')).not.toMatch(/[a-z]/)
})

it('given a trunk that is down behind a proxy when named then it may be either, and without one it is the trunk', () => {
  const down = 'down since 2026-12-01T01:00:00Z, the line is kept'
  for (const words of [en.wallboard, fa.wallboard]) {
    expect(partName('trunk', words, down)).toBe(words.part.trunk)
    expect(partName('trunk', words, `${down}; or the SIP proxy before it, 192.0.2.20:5060, is`)).toBe(words.part['trunk-or-proxy'])
  }
  expect(fa.wallboard.part['trunk-or-proxy']).not.toMatch(/[a-z]/i)
})

it('given several nodes when one lives, drains, has no Asterisk, trunk or ivr, starts or is gone then only the first is well', () => {
  const states = ['live', 'draining', 'no-asterisk', 'no-trunk', 'no-ivr', 'silent', 'gone']
  expect(states.map(stateKind)).toEqual(['up', 'draining', 'no-asterisk', 'no-trunk', 'no-ivr', 'silent', 'gone'])
  expect(states.map((state) => stateName(state, en.wallboard))).toEqual(['up', 'draining', 'has no exchange', 'has no trunk', 'has no voice scripts', 'silent', 'gone'])
  expect(states.map((state) => stateName(state, fa.wallboard))).not.toContain(fa.wallboard.state.other)
})

it('given a cap that is reached when told then it is limited', () => {
  expect(stateName('capped per hour', en.wallboard)).toBe('limited')
})
