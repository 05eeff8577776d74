import type { Span } from './queries'

export interface Sum {
  did: Span['did']
  reason: Span['reason']
  count: number
  /** In milliseconds. */
  lasted: number
}

/** What is done at a desk, in the order in which sums of it are shown. */
export const DIDS: Span['did'][] = ['talked', 'wrap-up', 'waited', 'paused', 'away']

/** So long a stretch was, or has been until now. */
export const lasted = ({ since, until }: Span, now: number) => Math.max(0, (until ? Date.parse(until) : now) - Date.parse(since))

/** How often and how long in all each was done; breaks by their reason. */
export function sumsOf(spans: Span[], now: number): Sum[] {
  const found: Sum[] = []
  for (const span of spans) {
    let sum = found.find(({ did, reason }) => did === span.did && reason === span.reason)
    if (!sum) found.push(sum = { did: span.did, reason: span.reason, count: 0, lasted: 0 })
    sum.count += 1
    sum.lasted += lasted(span, now)
  }
  return found.sort((one, other) => DIDS.indexOf(one.did) - DIDS.indexOf(other.did) || other.lasted - one.lasted)
}

/** How often and how long in all one thing was done, breaks for whatever reason. */
export function sumOf(spans: Span[], did: Span['did'], now: number): Pick<Sum, 'count' | 'lasted'> {
  const same = spans.filter((span) => span.did === did)
  return { count: same.length, lasted: same.reduce((sum, span) => sum + lasted(span, now), 0) }
}
