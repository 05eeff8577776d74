import { setNumber } from './session'
import type { Session } from './types'

/** The API says no, and why. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, readonly afterS: number | null = null) {
    super(code)
  }
}

/** No answer of the API came: what was asked may be done all the same. */
export class Away extends Error {}

type Body = { json: unknown } | Record<string, never>

const PATIENCE_MS = 30_000

/** Ask the API for what is under /api/v1/my. A session whose time is over is renewed once. Throws Refusal, or Away. */
export async function ask<Answer>(method: string, path: string, body: Body = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return signedIn(() => once<Answer>(method, path, body, headers))
}

/** Do it, and once more if the session was to be renewed first. */
export async function signedIn<Done>(act: () => Promise<Done>): Promise<Done> {
  try {
    return await act()
  } catch (failed) {
    if (!(failed instanceof Refusal) || failed.code !== 'not-signed-in') throw failed
  }
  await renewed()
  return act()
}

async function once<Answer>(method: string, path: string, body: Body, headers: Record<string, string>): Promise<Answer> {
  const sent = new Headers(headers)
  let content: string | null = null
  if ('json' in body) {
    content = JSON.stringify(body.json)
    sent.set('Content-Type', 'application/json')
  }
  return answered<Answer>(`/api/v1/my${path}`, { method, body: content, headers: sent })
}

/** Ask for what everybody may read, by its whole address. Throws Refusal, or Away. */
export const readPublic = <Answer>(address: string): Promise<Answer> => answered(address, {})

/** The same of what is under /public. */
export const askPublic = <Answer>(path: string): Promise<Answer> => answered(`/public${path}`, {})

/** The same of what is no JSON. */
export const askPublicText = (path: string, kind: string): Promise<string> => answered(`/public${path}`, {}, kind, (answer) => answer.text())

async function answered<Answer>(
  address: string, request: RequestInit, wanted = 'application/json', read = (answer: Response): Promise<Answer> => answer.json() as Promise<Answer>,
): Promise<Answer> {
  const patience = new AbortController() // AbortSignal.timeout is younger than many a telephone
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  try {
    // A network that asks for its own sign-in first leads elsewhere, or answers with a page.
    const answer = await fetch(address, { ...request, redirect: 'error', signal: patience.signal })
    const kind = answer.headers.get('Content-Type') ?? ''
    if (answer.status === 204) return undefined as Answer
    if (answer.ok && kind.startsWith(wanted)) return await read(answer)
    if (kind.startsWith('application/problem+json')) throw refusal(answer.status, ((await answer.json()) as { code: string }).code, answer.headers.get('Retry-After'))
    throw new Away(`${answer.status} ${kind}`)
  } catch (failed) {
    throw failed instanceof Refusal ? failed : new Away(String(failed))
  } finally {
    clearTimeout(timer)
  }
}

export function refusal(status: number, code: string, retryAfter: string | null | undefined): Refusal {
  const after = Number(retryAfter ?? '')
  return new Refusal(status, code, after > 0 ? after : null)
}

let renewing: Promise<void> | null = null

/** New cookies for old, once for all that wait for them. Throws Refusal where the session is over: nobody is signed in then. */
function renewed(): Promise<void> {
  renewing ??= once<Session>('POST', '/sessions/refresh', {}, {})
    .then((session) => setNumber(session.number))
    .catch((failed: unknown) => {
      if (failed instanceof Refusal && failed.status === 401) setNumber('')
      throw failed
    })
    .finally(() => {
      renewing = null
    })
  return renewing
}
