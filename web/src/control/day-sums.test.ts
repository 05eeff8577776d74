import { expect, it } from 'vitest'
import { sumOf, sumsOf } from './day-sums'
import type { Span } from './queries'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 8, minute)).toISOString()
const span = (did: Span['did'], since: number, until: number | null, reason: Span['reason'] = null): Span =>
  ({ did, since: at(since), until: until === null ? null : at(until), reason, ticket: null })

it('given stretches of a day when summed then each kind has its sum, breaks by reason, and what goes on counts until now', () => {
  const spans = [
    span('waited', 0, 5), span('talked', 5, 15), span('wrap-up', 15, 16), span('paused', 16, 20, 'rest'), span('talked', 20, 23), span('paused', 23, 50, 'meal'),
    span('away', 50, 52), span('paused', 52, 53, 'rest'), span('waited', 53, null),
  ]
  expect(sumsOf(spans, Date.parse(at(59))).map(({ did, reason, count, lasted }) => [did, reason, count, lasted / 60_000])).toEqual([
    ['talked', null, 2, 13], ['wrap-up', null, 1, 1], ['waited', null, 2, 11], ['paused', 'meal', 1, 27], ['paused', 'rest', 2, 5], ['away', null, 1, 2],
  ])
  expect(sumOf(spans, 'paused', Date.parse(at(59)))).toEqual({ count: 3, lasted: 32 * 60_000 })
  expect(sumOf(spans, 'waited', Date.parse(at(59)))).toEqual({ count: 2, lasted: 11 * 60_000 })
})
