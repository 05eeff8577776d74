import { useNow } from './use-now'

/** Whole seconds until a moment by the server's clock; none are left after it, or without one. */
export function useSecondsLeft(until: string | null | undefined): number {
  const now = useNow(Boolean(until))
  return until ? Math.max(0, Math.ceil((Date.parse(until) - now) / 1_000)) : 0
}
