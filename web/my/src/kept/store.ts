import { Dexie, type Table } from 'dexie'

/** draft: being written; waiting: finished, to be sent; refused: the API said no; arrived: the API has it. */
export type ReportState = 'draft' | 'waiting' | 'refused' | 'arrived'

/** A report from its first letter on. Its key makes it one, however often it is sent. */
export interface Report {
  key: string
  state: ReportState
  /** The masked number under which it was finished; empty: whoever signs in sends it. */
  owner: string
  changedAt: number
  language: 'fa' | 'en'
  category: number | null
  text: string
  answers: string[]
  district: number | null
  point: { latitude: number; longitude: number; metres: number } | null
  place: string
  /** So often no answer came; not to be sent again before then. */
  tries: number
  notBefore: number
  /** What the API said to it last. */
  problem: string
  /** The pictures were handed in anew because the API knew them no more. */
  renewed: boolean
  tracking: string
}

/** A picture of a report; `kept`: its id at the API, once it is there. An ArrayBuffer: some browsers lose blobs. */
export interface Picture {
  id?: number
  report: string
  data: ArrayBuffer
  kept: string
}

/** What the API said last, to be read without a network. */
export interface Answered {
  name: string
  at: number
  said: unknown
}

export const MOST_PICTURES = 3

class Store extends Dexie {
  reports!: Table<Report, string>
  pictures!: Table<Picture, number>
  answers!: Table<Answered, string>

  constructor() {
    super('hotline137-my')
    this.version(1).stores({ reports: 'key, state', pictures: '++id, report', answers: 'name' })
  }
}

export const store = new Store()

const TYPED = 'hotline137.my.typed.'

/** What is typed, at once: the database keeps it a moment later, and the page may be gone by then. */
export const jot = (report: Report): void => localStorage.setItem(TYPED + report.key, JSON.stringify(report))

/** The database has it. What was typed since is not forgotten. */
export function jotted({ key, changedAt }: Report): void {
  const noted = localStorage.getItem(TYPED + key)
  if (noted && (JSON.parse(noted) as Report).changedAt <= changedAt) localStorage.removeItem(TYPED + key)
}

/** What a page that was killed had jotted down goes into the database. */
export async function recover(): Promise<void> {
  for (const name of Object.keys(localStorage).filter((one) => one.startsWith(TYPED))) {
    const noted = JSON.parse(localStorage.getItem(name) ?? 'null') as Report | null
    if (!noted) continue
    await store.transaction('rw', store.reports, async () => {
      const kept = await store.reports.get(noted.key)
      if (!kept || (kept.state === 'draft' && kept.changedAt < noted.changedAt)) await store.reports.put(noted)
    })
    jotted(noted)
  }
}

const recovered = recover().catch(() => undefined)

export async function allReports(): Promise<Report[]> {
  await recovered
  return store.reports.toArray()
}

/** The report with this key, if it is being written. */
export async function draft(key: string): Promise<Report | undefined> {
  await recovered
  const found = await store.reports.get(key)
  return found?.state === 'draft' ? found : undefined
}

/** As crypto.randomUUID makes it, where that is not given: it is only by HTTPS. */
function newKey(): string {
  const drawn = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return drawn.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export const blank = (language: 'fa' | 'en'): Report => ({
  key: newKey(), state: 'draft', owner: '', changedAt: Date.now(), language, category: null, text: '', answers: [],
  district: null, point: null, place: '', tries: 0, notBefore: 0, problem: '', renewed: false, tracking: '',
})

/** What is being written, as it is typed; nothing of a report that is on its way. */
export const write = (key: string, change: Partial<Report>): Promise<number> =>
  store.reports.where({ key, state: 'draft' }).modify({ changedAt: Date.now(), ...change })

export const picturesOf = (key: string): Promise<Picture[]> => store.pictures.where({ report: key }).sortBy('id')

/** Add a picture, unless there are enough of them. */
export const addPicture = (report: string, data: ArrayBuffer): Promise<boolean> =>
  store.transaction('rw', store.pictures, async () => {
    if ((await store.pictures.where({ report }).count()) >= MOST_PICTURES) return false
    await store.pictures.add({ report, data, kept: '' })
    return true
  })

/** It is whole: from now on it goes out by itself. */
export const finish = (key: string, owner: string): Promise<number> =>
  store.reports.where({ key, state: 'draft' }).modify({ state: 'waiting', owner, tries: 0, notBefore: 0, problem: '', renewed: false, changedAt: Date.now() })

/** Back into the form. The key stays: should it have arrived after all, it is not there twice. */
export const mend = (key: string): Promise<number> =>
  store.reports.where('key').equals(key).and(({ state }) => state === 'refused' || state === 'waiting').modify({ state: 'draft' })

/** Send it under the number that is signed in now. */
export const takeOver = (key: string): Promise<number> =>
  store.transaction('rw', store.reports, store.pictures, async () => {
    await store.pictures.where({ report: key }).modify({ kept: '' })
    return store.reports.where({ key, state: 'refused' }).modify({ state: 'waiting', owner: '', notBefore: 0, problem: '' })
  })

export const drop = (key: string): Promise<void> =>
  store.transaction('rw', store.reports, store.pictures, async () => {
    localStorage.removeItem(TYPED + key)
    await store.pictures.where({ report: key }).delete()
    await store.reports.delete(key)
  })
