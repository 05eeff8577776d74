/** When a citizen and a desk first heard each other, and what was no conversation since. */
interface Spoken {
  talking_at: string | null
  ended_at?: string | null
  /** Since when the citizen waits, on hold or because our side is gone, while they do. */
  held_at: string | null
  /** How long they did before. */
  held_seconds: number
}

/** In milliseconds. */
export interface Talk {
  /** Since the two first heard each other, what was held included: the one time that every page shows. */
  lasted: number
  /** How much of it the citizen waited. */
  held: number
}

/** How long a conversation has lasted; null where nobody has spoken yet. */
export function talkOf({ talking_at, ended_at = null, held_at, held_seconds }: Spoken, now: number): Talk | null {
  if (talking_at === null) return null
  const until = ended_at === null ? now : Date.parse(ended_at)
  return { lasted: until - Date.parse(talking_at), held: held_seconds * 1000 + (held_at === null ? 0 : until - Date.parse(held_at)) }
}
