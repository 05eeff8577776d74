import { describe, expect, it } from 'vitest'
import { digest } from '../ledger/proof'
import { saysSo } from './says-so'

const AT = '2026-12-02T06:31:07.123456Z'
const TOLD = JSON.stringify(['5a17', '123456789', 'replied', AT, 'office'])
const NOTE = JSON.stringify(['07e5', 'چراغ عوض شد'])
const shown = { tracking: '123456789', steps: [{ at: AT, step: 'replied' as const, note: 'چراغ عوض شد' }] }

async function proof(told = TOLD, note: string | null = NOTE) {
  const hashes = { note: await digest(NOTE), office: '', step: await digest(TOLD) }
  const line = JSON.stringify([7, AT, 'request_step', null, null, hashes])
  return { lines: [{ entry: 7, at: AT, step: 'replied' as const, line, told, note }] }
}

describe('what the ledger has sealed of a history', () => {
  it('is what is shown', async () => {
    expect(await saysSo(await proof(), shown)).toBe(true)
    expect(await saysSo(await proof(TOLD, null), { ...shown, steps: shown.steps.map((step) => ({ ...step, note: '' })) })).toBe(true)
  })
  it.each([
    ['another request', { ...shown, tracking: '123456780' }],
    ['another step', { ...shown, steps: shown.steps.map((step) => ({ ...step, step: 'rejected' as const })) }],
    ['another time', { ...shown, steps: shown.steps.map((step) => ({ ...step, at: '2026-12-03T06:31:07Z' })) }],
    ['other words', { ...shown, steps: shown.steps.map((step) => ({ ...step, note: 'چراغ عوض نشد' })) }],
    ['one step more', { ...shown, steps: [...shown.steps, ...shown.steps] }],
  ])('is not %s', async (_what, other) => {
    expect(await saysSo(await proof(), other)).toBe(false)
  })
  it('is not a text with another hash', async () => {
    expect(await saysSo(await proof(TOLD.replace('office', 'citizen')), shown)).toBe(false)
    expect(await saysSo(await proof(TOLD, NOTE.replace('07e5', '07e6')), shown)).toBe(false)
    expect(await saysSo(await proof(TOLD, null), shown)).toBe(false)
  })
})
