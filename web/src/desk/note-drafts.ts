import type { Outcome } from '../api/types'
import type { CallLater } from './call-later'

/** What is said of a callback as it is typed and chosen, kept in this browser until the API has it. */
export interface Draft {
  callbackId: number
  ticket: string
  note: string
  outcome?: Outcome | null
  callLater?: CallLater
}

const prefix = (deskId: number) => `hotline137.note.${deskId}.`
const keyOf = (deskId: number, callbackId: number) => `${prefix(deskId)}${callbackId}`

const followers = new Set<() => void>()
const tell = () => followers.forEach((told) => told())

/** Calls `told` after each change of a draft on this page, until the answer is called. */
export function followDrafts(told: () => void): () => void {
  followers.add(told)
  return () => void followers.delete(told)
}

export function keepDraft(deskId: number, draft: Draft): void {
  localStorage.setItem(keyOf(deskId, draft.callbackId), JSON.stringify(draft))
  tell()
}

export function dropDraft(deskId: number, callbackId: number): void {
  localStorage.removeItem(keyOf(deskId, callbackId))
  tell()
}

/** Those in which something is written. */
export const writtenDrafts = (deskId: number): Draft[] =>
  Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix(deskId)))
    .map((key) => JSON.parse(localStorage.getItem(key) ?? '') as Draft)
    .filter((draft) => draft.note.trim() !== '')

/** As it stands in the browser. */
export const keptDraft = (deskId: number, callbackId: number) => localStorage.getItem(keyOf(deskId, callbackId))

export function draftOf(deskId: number, callbackId: number): Draft | undefined {
  const kept = keptDraft(deskId, callbackId)
  return kept ? (JSON.parse(kept) as Draft) : undefined
}

/** A note with one more line, unless it is there already. */
export const withLine = (note: string, line: string) =>
  note.split('\n').includes(line) ? note : [note.trimEnd(), line].filter(Boolean).join('\n')
