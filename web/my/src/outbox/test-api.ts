/** The API as the outbox's tests play it, and reports to be sent to it. */
import { vi } from 'vitest'
import { blank, type Report } from '../kept/report'
import { addPicture, finish, store } from '../kept/store'

export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'lost'
export interface Asked { path: string; key: string | null; body: unknown }

export const kept = new Map<string, string>()
const KEEPS = {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => kept.set(name, value),
  removeItem: (name: string) => kept.delete(name),
}
// Its names are its own, as a browser's are.
const storage = new Proxy(KEEPS, {
  ownKeys: () => [...kept.keys()],
  getOwnPropertyDescriptor: (_, name) => (kept.has(String(name)) ? { enumerable: true, configurable: true } : undefined),
})

/** What the API was asked since the last `begin`. */
export const asked: Asked[] = []
export const picture = (id: string): Answer => ({ status: 201, body: { id, width: 1, height: 1, size: 1 } })
export const ARRIVED: Answer = { status: 201, body: { tracking: '123456789' } }
export const problem = (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  ({ status, body: { code }, headers: { 'Content-Type': 'application/problem+json', ...headers } })

/** The API answers so, in this order; more is not asked. */
export function answers(...these: Answer[]): void {
  vi.stubGlobal('fetch', (path: string, { headers, body }: RequestInit) => {
    asked.push({ path, key: (headers as Headers).get('Idempotency-Key'), body: typeof body === 'string' ? JSON.parse(body) : body })
    const answer = these.shift()
    if (!answer) throw new Error(`nobody expected ${path}`)
    if (answer === 'lost') return Promise.reject(new TypeError('network'))
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'Content-Type': 'application/json', ...answer.headers } }))
  })
}

let order = 0

export async function finished(pictures = 0, owner = '0913•••0001'): Promise<Report> {
  const report = { ...blank('fa'), category: 2, text: 'چراغ خاموش است', place: 'روبه‌روی دبستان' }
  await store.reports.add(report)
  for (let n = 0; n < pictures; n += 1) await addPicture(report.key, new Uint8Array([n]).buffer)
  await finish(report.key, owner)
  // One after the other, also where both fit into a millisecond.
  await store.reports.update(report.key, { changedAt: Date.now() - 60_000 + order })
  order += 1
  return report
}

export const now = async ({ key }: Report) => store.reports.get(key)
export const reports = () => asked.filter(({ path }) => path.endsWith('/my/requests'))

/** Nothing was asked yet, nothing is kept, and somebody is signed in. */
export async function begin(): Promise<void> {
  vi.stubGlobal('localStorage', storage)
  asked.length = 0
  kept.set('hotline137.my.number', '0913•••0001')
  await Promise.all([store.reports.clear(), store.pictures.clear()])
}
