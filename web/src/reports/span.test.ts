import { expect, it, vi } from 'vitest'
import { quickSpan, readSpan } from './span'

it.each([
  // 2026-12-02 is Wednesday, 11 Azar 1405.
  ['week', '2026-12-02', '2026-11-28', '2026-12-04'],
  ['week', '2026-11-28', '2026-11-28', '2026-12-04'],
  ['week', '2026-12-04', '2026-11-28', '2026-12-04'],
  ['month', '2026-12-02', '2026-10-23', '2026-11-21'],
  // The month before the first one is Esfand of the year before.
  ['month', '2026-03-25', '2026-02-20', '2026-03-20'],
  ['year', '2026-12-02', '2026-03-21', '2026-12-02'],
] as const)('given the quick choice «%s» on %s when taken then it is %s to %s', (quick, today, from, until) => {
  expect(quickSpan(quick, today)).toEqual({ from, until })
})

it('given an address when read then it says what is reported', () => {
  expect(readSpan(new URLSearchParams('by=subject&from=2026-11-01&until=2026-11-30')))
    .toEqual({ by: 'subject', from: '2026-11-01', until: '2026-11-30' })
})

it.each(['', 'by=anything&from=yesterday', 'from=2026-11-01', 'from=2026-11-01&until=today'])(
  'given the address «%s», which says it wrongly or not, when read then it is this year so far, by week', (query) => {
    vi.setSystemTime('2026-12-02T06:00:00Z')
    expect(readSpan(new URLSearchParams(query))).toEqual({ by: 'week', from: '2026-03-21', until: '2026-12-02' })
    vi.useRealTimers()
  },
)
