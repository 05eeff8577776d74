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

export function keepDraft(deskId: number, draft: Draft): void {
  localStorage.setItem(keyOf(deskId, draft.callbackId), JSON.stringify(draft))
}

export function dropDraft(deskId: number, callbackId: number): void {
  localStorage.removeItem(keyOf(deskId, callbackId))
}

/** Those in which something is written. */
export const writtenDrafts = (deskId: number): Draft[] =>
  Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix(deskId)))
    .map((key) => JSON.parse(localStorage.getItem(key) ?? '') as Draft)
    .filter((draft) => draft.note.trim() !== '')

export function draftOf(deskId: number, callbackId: number): Draft | undefined {
  const kept = localStorage.getItem(keyOf(deskId, callbackId))
  return kept ? (JSON.parse(kept) as Draft) : undefined
}

/** A note with one more line, unless it is there already. */
export const withLine = (note: string, line: string) =>
  note.split('\n').includes(line) ? note : [note.trimEnd(), line].filter(Boolean).join('\n')
