/** Notes as they are typed, kept in this browser until the API has them. */
export interface Draft {
  callbackId: number
  ticket: string
  note: string
}

const prefix = (deskId: number) => `hotline137.note.${deskId}.`
const keyOf = (deskId: number, callbackId: number) => `${prefix(deskId)}${callbackId}`

export function keepDraft(deskId: number, draft: Draft): void {
  localStorage.setItem(keyOf(deskId, draft.callbackId), JSON.stringify(draft))
}

export function dropDraft(deskId: number, callbackId: number): void {
  localStorage.removeItem(keyOf(deskId, callbackId))
}

export function drafts(deskId: number): Draft[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix(deskId)))
    .map((key) => JSON.parse(localStorage.getItem(key) ?? '') as Draft)
    .filter((draft) => draft.note.trim() !== '')
}

export const draft = (deskId: number, callbackId: number): Draft | undefined =>
  drafts(deskId).find((kept) => kept.callbackId === callbackId)
