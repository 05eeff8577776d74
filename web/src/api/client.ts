import createClient from 'openapi-fetch'
import { given } from './asked-ahead'
import { observeServerTime } from './clock'
import { report } from './connection'
import { Problem } from './problem'
import type { paths } from './schema.gen'

async function fetchAndReport(request: Request): Promise<Response> {
  given(request.url)
  const asked = Date.now()
  const offline = !navigator.onLine
  let response: Response
  try {
    response = await fetch(request)
  } catch (error) {
    if (request.signal.aborted) throw error
    report({ api: false })
    throw new Problem(offline && !navigator.onLine ? 'offline' : 'unreachable', 0)
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
