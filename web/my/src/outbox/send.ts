import { ask, Away, Refusal, signedIn } from '../api/ask'
import { number } from '../api/session'
import type { Detail, Kept, Near, Objection, Report as Body } from '../api/types'
import type { Report } from '../kept/report'
import { drop, dropFiles, picturesOf, sendAnew, store, voiceOf } from '../kept/store'
import { uploaded, type File } from './upload'

const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 60_000
const LONGEST_HOLD_MS = 25 * 3_600_000

/** The problem of a report that waits for a look at what others reported near it. */
export const NEAR = 'near-reported'

const GONE = ['picture-unknown', 'voice-unknown', 'upload-unknown']

/** Answers that may be another one later: too many at once, and what is the server's own fault. */
const laterMaybe = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500

/**
 * Send what waits and is due, oldest first. `anyway`: also what waits only because no answer came, for the network may be back.
 * Returns when to come again, in milliseconds; null: nothing waits that could be sent.
 */
export async function sendDue(anyway = false): Promise<number | null> {
  if (!number()) return null
  const waiting = await store.reports.where({ state: 'waiting' }).sortBy('changedAt')
  for (const report of waiting) {
    const heldBack = isHeld(report) && !(anyway && report.problem === 'away')
    if (!heldBack && !(await sent(report))) break
  }
  if (!number()) return null
  const left = await store.reports.where({ state: 'waiting' }).toArray()
  return left.length ? Math.max(0, Math.min(...left.map((one) => one.notBefore)) - Date.now()) : null
}

/** A clock that was set back holds nothing for ever: no answer asks for more than a day. */
const isHeld = ({ notBefore }: Report): boolean => notBefore > Date.now() && notBefore < Date.now() + LONGEST_HOLD_MS

/** Whether others may be tried, too. */
async function sent(report: Report): Promise<boolean> {
  if (report.owner && report.owner !== number()) {
    await note(report, { state: 'refused', problem: 'other-number' })
    return true
  }
  try {
    if (await hasUnseenNear(report)) await note(report, { state: 'refused', problem: NEAR, owner: number() })
    else await handIn(report)
    return true
  } catch (failed) {
    return refused(report, failed)
  }
}

/**
 * Whether others reported the same near here, and this report's writer could not be asked: it was finished by nobody
 * who was signed in. A list that the API refuses holds nothing back.
 */
async function hasUnseenNear({ owner, objects, category, point }: Report): Promise<boolean> {
  if (owner || objects || category === null || !point) return false
  const where = `category=${category}&lat=${point.latitude}&lon=${point.longitude}`
  try {
    return (await ask<Near[]>('GET', `/requests/near?${where}`)).length > 0
  } catch (failed) {
    if (failed instanceof Refusal && failed.status !== 401) return false
    throw failed
  }
}

async function handIn(report: Report): Promise<void> {
  const files = await sentFiles(report)
  if (!(await stillWaits(report.key))) return
  const tracking = await arrivedAs(report, files)
  try {
    await store.transaction('rw', store.reports, store.pictures, store.voices, async () => {
      await dropFiles(report.key)
      await store.reports.update(report.key, { state: 'arrived', tracking, problem: '', changedAt: Date.now() })
    })
  } catch {
    await drop(report.key) // a full phone cannot note its arrival; the city has it
  }
}

/**
 * Send a report that the phone has no room to keep as finished, with what it has kept of its files. Returns its tracking
 * number; throws Refusal, or Away.
 */
export async function sendUnkept(report: Report): Promise<string> {
  const tracking = await arrivedAs(report, await sentFiles(report))
  await drop(report.key)
  return tracking
}

interface Files {
  pictures: string[]
  voice: string | null
}

async function sentFiles(report: Report): Promise<Files> {
  const pictures = await picturesOf(report.key)
  for (const picture of pictures) {
    if (picture.kept) continue
    const note = (change: Change) => store.pictures.update(picture.id ?? 0, change)
    picture.kept = await sentFile({ kind: 'picture', ...picture }, report, note)
  }
  const voice = await voiceOf(report.key)
  if (voice && !voice.kept) voice.kept = await sentFile({ kind: 'voice', ...voice }, report, (change) => store.voices.update(report.key, change))
  return { pictures: pictures.map(({ kept }) => kept), voice: voice?.kept ?? null }
}

async function arrivedAs(report: Report, { pictures, voice }: Files): Promise<string> {
  const { tracking } = await said(report, pictures, voice)
  if (!tracking) throw new Away('no tracking number')
  return tracking
}

/** What the API makes of it, now that its files are there. Said once more it is the same. */
function said(report: Report, pictures: string[], voice: string | null): Promise<Detail> {
  const { category, text, answers, district, place, point, language, objects } = report
  if (objects) {
    const { tracking, answer, parts } = objects
    return ask<Detail>('POST', `/requests/${tracking}/object`, { json: { reason: text, pictures, parts, answer } satisfies Objection })
  }
  const body: Body = {
    category: category ?? 0, text, answers, district, place, latitude: point?.latitude ?? null, longitude: point?.longitude ?? null,
    pictures, voice, language,
  }
  return ask<Detail>('POST', '/requests', { json: body }, { 'Idempotency-Key': report.key })
}

type Change = { upload: string } | { kept: string }

/**
 * Its id, by which the report names it. What is noted on the way is where it goes on if this page is killed; a full phone
 * notes nothing, and sends all the same.
 */
async function sentFile(file: File, report: Report, note: (change: Change) => Promise<unknown>): Promise<string> {
  let noted: Promise<unknown> = Promise.resolve()
  const id = await signedIn(() => uploaded(file, (upload) => {
    file.upload = upload
    report.tries = 0 // it goes on
    noted = note({ upload }).catch(() => undefined)
  }))
  await noted
  const { id: kept } = await ask<Kept>('POST', `/uploads/${id}/finish`)
  await note({ kept }).catch(() => undefined)
  return kept
}

/** It may have been taken back into the form, or thrown away, while its pictures went. */
const stillWaits = async (key: string): Promise<boolean> => (await store.reports.get(key))?.state === 'waiting'

async function refused(report: Report, failed: unknown): Promise<boolean> {
  if (failed instanceof Away) {
    await later(report, 'away', null)
    return false
  }
  if (!(failed instanceof Refusal)) throw failed
  if (failed.status === 401) return false
  if (GONE.includes(failed.code) && !report.renewed) {
    // They waited longer than the API keeps them for a report: they are here, and go once more.
    await sendAnew(report.key)
    await note(report, { renewed: true })
    return sent({ ...report, renewed: true })
  }
  if (laterMaybe(failed.status)) await later(report, failed.code, failed.afterS)
  else await note(report, { state: 'refused', problem: failed.code })
  return true
}

async function later(report: Report, problem: string, afterS: number | null): Promise<void> {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** report.tries) * (0.75 + Math.random() / 2)
  const wait = afterS === null ? backoff : afterS * 1000
  await note(report, { problem, tries: report.tries + 1, notBefore: Date.now() + wait })
}

/** Unless it was taken back meanwhile. On a full phone nothing is noted: it is tried again at the next occasion. */
const note = (report: Report, change: Partial<Report>): Promise<unknown> =>
  store.reports.where({ key: report.key, state: 'waiting' }).modify(change).catch(() => 0)
