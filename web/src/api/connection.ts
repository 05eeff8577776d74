import { useSyncExternalStore } from 'react'

/** Whether the API answers and the live events flow. The pages show it when either is lost. */
let state = { api: true, events: true }
const listeners = new Set<() => void>()

export function report(change: Partial<typeof state>): void {
  const next = { ...state, ...change }
  if (next.api === state.api && next.events === state.events) return
  state = next
  listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useConnectionLost = () =>
  useSyncExternalStore(subscribe, () => !state.api || !state.events)
