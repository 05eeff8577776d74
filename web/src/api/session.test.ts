import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keys } from './keys'
import type { Me } from './types'

const ME = { username: 'operator1' } as Me
const SIGNED_OUT = () => new Response(JSON.stringify({ code: 'not-signed-in' }), { status: 401, headers: { 'Content-Type': 'application/problem+json' } })

let queries: QueryClient
let answers: ((response: Response) => void)[]

beforeEach(() => {
  queries = new QueryClient()
  answers = []
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal('location', { origin: 'http://127.0.0.1:8137' })
  vi.stubGlobal('fetch', () => new Promise<Response>((answer) => answers.push(answer)))
})
afterEach(() => vi.unstubAllGlobals())

/** What is known of the person and of their session, once the question is answered. */
async function asked(meanwhile: () => void = () => undefined, answer = SIGNED_OUT()) {
  const { whoseItIs } = await import('./session')
  const whose = whoseItIs(queries)
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  meanwhile()
  answers[0]?.(answer)
  return [await whose, queries.getQueryData(keys.sessionOver)]
}

it('given somebody at the page when their session has ended then that is known', async () => {
  queries.setQueryData(keys.me, ME)
  expect(await asked()).toEqual([ME, true])
})

it.each([['again', ME, true], ['at first', null, false]])('given who signs in %s when an answer from before comes late then they stay signed in', async (_when, before, over) => {
  const { signedIn } = await import('./session')
  queries.setQueryData(keys.me, before)
  queries.setQueryData(keys.sessionOver, over)
  expect(await asked(() => signedIn(queries, ME))).toEqual([ME, false])
})

it('given somebody at the page who signs out when an answer from before comes late then nobody is signed in', async () => {
  queries.setQueryData(keys.me, ME)
  const late = new Response(JSON.stringify(ME), { headers: { 'Content-Type': 'application/json' } })
  const out = () => void queries.setQueryData(keys.me, null)
  expect(await asked(out, late)).toEqual([null, undefined])
  expect(queries.getQueryData(keys.me)).toBeNull()
})

it('given a question that is asked anew when its answer comes late then what was said since holds', async () => {
  const { whoseItIs } = await import('./session')
  queries.setQueryData(keys.me, ME)
  const anew = new AbortController()
  const whose = whoseItIs(queries, anew.signal)
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  const since = { ...ME, takes_live: false }
  queries.setQueryData(keys.me, since)
  anew.abort()
  answers[0]?.(new Response(JSON.stringify({ ...ME, takes_live: true }), { headers: { 'Content-Type': 'application/json' } }))
  await whose
  expect(queries.getQueryData(keys.me)).toEqual(since)
})
