import { Dexie, type Table } from 'dexie'
import { forgetJotted, jotted, jottedDown, MOST_PICTURES, type Report } from './report'

/**
 * A picture of a report. `upload`: where it is sent to, once that has begun; `kept`: its id at the API, once it is there.
 * An ArrayBuffer: some browsers lose blobs.
 */
export interface Picture {
  id?: number
  report: string
  data: ArrayBuffer
  upload: string
  kept: string
}

/** What a report says aloud: one, as the browser records. */
export interface Voice {
  report: string
  data: ArrayBuffer
  type: string
  seconds: number
  upload: string
  kept: string
}

/** What the API said last, to be read without a network. */
export interface Answered {
  name: string
  /** The masked number that was signed in when it was asked. */
  owner?: string
  at: number
  said: unknown
}

class Store extends Dexie {
  reports!: Table<Report, string>
  pictures!: Table<Picture, number>
  voices!: Table<Voice, string>
  answers!: Table<Answered, string>

  constructor() {
    super('hotline137-my')
    this.version(1).stores({ reports: 'key, state', pictures: '++id, report', answers: 'name' })
    this.version(2).stores({ voices: 'report' })
  }
}

export const store = new Store()

/** What a page that was killed had jotted down goes into the database. */
export async function recover(): Promise<void> {
  for (const noted of jottedDown()) {
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

/** The report with this key, whatever stands with it. For useLive: what waits for anything else first is not heard. */
export const kept = (key: string): Promise<Report | null> => store.reports.get(key).then((found) => found ?? null)

/** What is being written, as it is typed; nothing of a report that is on its way. */
export const write = (key: string, change: Partial<Report>): Promise<number> =>
  store.reports.where({ key, state: 'draft' }).modify({ changedAt: Date.now(), ...change })

export const picturesOf = (key: string): Promise<Picture[]> => store.pictures.where({ report: key }).sortBy('id')

/** Add a picture to what is being written, unless there are enough of them. */
export const addPicture = (report: string, data: ArrayBuffer): Promise<boolean> =>
  store.transaction('rw', store.reports, store.pictures, async () => {
    if ((await store.reports.get(report))?.state !== 'draft') return false
    if ((await store.pictures.where({ report }).count()) >= MOST_PICTURES) return false
    await store.pictures.add({ report, data, upload: '', kept: '' })
    return true
  })

export const voiceOf = async (key: string): Promise<Voice | null> => (await store.voices.get(key)) ?? null

/** Keep what was said so far; nothing of a report that is on its way. */
export const keepVoice = (report: string, data: ArrayBuffer, type: string, seconds: number): Promise<void> =>
  store.transaction('rw', store.reports, store.voices, async () => {
    if ((await store.reports.get(report))?.state === 'draft') await store.voices.put({ report, data, type, seconds, upload: '', kept: '' })
  })

/** All of it is to be sent anew. */
export async function sendAnew(report: string): Promise<void> {
  await store.pictures.where({ report }).modify({ upload: '', kept: '' })
  await store.voices.where({ report }).modify({ upload: '', kept: '' })
}

/** What belongs to it goes. */
export async function dropFiles(report: string): Promise<void> {
  await store.pictures.where({ report }).delete()
  await store.voices.delete(report)
}

/** It is whole: from now on it goes out by itself. */
export const finish = (key: string, owner: string): Promise<number> =>
  store.reports.where({ key, state: 'draft' }).modify({ state: 'waiting', owner, tries: 0, notBefore: 0, problem: '', renewed: false, changedAt: Date.now() })

/** Back into the form. The key stays: should it have arrived after all, it is not there twice. */
export const mend = (key: string): Promise<number> =>
  store.reports.where('key').equals(key).and(({ state }) => state === 'refused' || state === 'waiting').modify({ state: 'draft' })

/** Send it as it is, after all: its owner has seen why it was held back. */
export const resend = (key: string): Promise<number> =>
  store.reports.where({ key, state: 'refused' }).modify({ state: 'waiting', notBefore: 0, tries: 0, problem: '' })

/** Objections to this request that are on this phone. */
export const objectionsTo = (tracking: string): Promise<Report[]> =>
  store.reports.filter(({ objects }) => objects?.tracking === tracking).toArray()

/** Send it under the number that is signed in now. */
export const takeOver = (key: string): Promise<number> =>
  store.transaction('rw', store.reports, store.pictures, store.voices, async () => {
    await sendAnew(key)
    return store.reports.where({ key, state: 'refused' }).modify({ state: 'waiting', owner: '', notBefore: 0, problem: '' })
  })

/** What the city has is no longer for this phone to show; what was not sent stays. Their files went as they arrived. */
export const dropArrived = (): Promise<number> => store.reports.where({ state: 'arrived' }).delete()

export const drop = (key: string): Promise<void> =>
  store.transaction('rw', store.reports, store.pictures, store.voices, async () => {
    forgetJotted(key)
    await dropFiles(key)
    await store.reports.delete(key)
  })
