import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type * as Client from './client'

let hangs: (signal: AbortSignal) => Promise<Response>
let api: typeof Client

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal('location', { origin: 'http://hotline.test' })
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('fetch', (_: Request, { signal }: { signal: AbortSignal }) => hangs(signal))
  api = await import('./client')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const silent = (signal: AbortSignal) =>
  new Promise<Response>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error)))

/** The head of the answer comes, and nothing after it. */
const halfway = (signal: AbortSignal) =>
  Promise.resolve(new Response(new ReadableStream({ start: (body) => signal.addEventListener('abort', () => body.error(signal.reason)) }), { headers: { 'Content-Type': 'application/json' } }))

const read = () => api.body(api.client.GET('/api/v1/rounds'))
const change = () => api.body(api.client.POST('/api/v1/desk/finishing'))

it.each([
  ['reads', 'never answers', 'unreachable', read, silent],
  ['reads', 'stops halfway', 'unreachable', read, halfway],
  ['changes something', 'never answers', 'no-answer', change, silent],
  ['changes something', 'stops halfway', 'no-answer', change, halfway],
])('given a request that %s when the server %s then it is given up in the end: %s', async (_, __, code, ask, server) => {
  hangs = server
  const given = expect(ask()).rejects.toMatchObject({ code, status: 0 })
  await vi.advanceTimersByTimeAsync(15_000)
  await given
})

it('given a request that its page has given up when it hangs then nobody is told of a lost server', async () => {
  hangs = silent
  const left = new AbortController()
  const given = expect(api.client.GET('/api/v1/rounds', { signal: left.signal })).rejects.toThrow('left')
  left.abort(new Error('left'))
  await given
})
