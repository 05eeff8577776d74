import createClient from 'openapi-fetch'
import type { paths } from '../../shared/api/schema.gen'
import { given } from './asked-ahead'
import { observeServerTime } from './clock'
import { report } from './connection'
import { within } from './patience'
import { Problem } from './problem'

/** So long an answer is waited for, to its last byte. The server waits for its database for five seconds at most. */
const PATIENCE = 15_000

async function fetchAndReport(request: Request): Promise<Response> {
  given(request.url)
  const asked = Date.now()
  const offline = !navigator.onLine
  // What is only read may be asked for again; of what changes something nobody knows whether it was done.
  const signal = AbortSignal.any([request.signal, within(PATIENCE, request.method === 'GET' ? 'unreachable' : 'no-answer')])
  let response: Response
  try {
    response = await fetch(request, { signal })
  } catch (error) {
    if (request.signal.aborted && !(request.signal.reason instanceof Problem)) throw error
    report({ api: false })
    throw signal.reason instanceof Problem ? signal.reason : new Problem(offline && !navigator.onLine ? 'offline' : 'unreachable', 0)
  }
  report({ api: response.status < 500 })
  observeServerTime(response, asked)
  return response
}

export const client = createClient<paths>({ baseUrl: location.origin, fetch: fetchAndReport })

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a good answer; a `Problem` is thrown for any other. */
export async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer
  if (response.ok) return data as T
  const { code = 'unknown', field } = (error && typeof error === 'object' ? error : {}) as { code?: string; field?: string }
  throw new Problem(code, response.status, field)
}
