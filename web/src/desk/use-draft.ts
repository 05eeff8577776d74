import { useMemo, useSyncExternalStore } from 'react'
import type { Callback } from '../api/types'
import { type Draft, draftOf, followDrafts, keepDraft, keptDraft } from './note-drafts'

/** What is written of a callback so far, the same in every place of the page that shows it, and how it is changed. */
export function useDraft(deskId: number, { id, registration: { ticket } }: Callback) {
  const kept = useSyncExternalStore(followDrafts, () => keptDraft(deskId, id))
  const draft = useMemo<Draft>(() => (kept ? (JSON.parse(kept) as Draft) : empty(id, ticket)), [kept, id, ticket])
  const say = (change: Partial<Draft>) => keepDraft(deskId, { ...(draftOf(deskId, id) ?? empty(id, ticket)), ...change })
  return { draft, say }
}

const empty = (callbackId: number, ticket: string): Draft => ({ callbackId, ticket, note: '' })
