import { useSyncExternalStore } from 'react'

/** Whether the API answers, the live events flow and the parts of a page can be fetched. Any loss is shown. */
let state = { api: true, events: true, parts: true }
const isWhole = ({ api, events, parts }: typeof state) => api && events && parts
const listeners = new Set<() => void>()

export function report(change: Partial<typeof state>): void {
  const next = { ...state, ...change }
  const changed = isWhole(next) !== isWhole(state)
  state = next
  if (changed) listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useConnectionLost = () =>
  useSyncExternalStore(subscribe, () => !isWhole(state))
