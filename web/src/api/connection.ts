import { useSyncExternalStore } from 'react'

/** Whether the API answers, the live events flow and the parts of a page can be fetched. Any loss is shown. */
let state = { api: true, events: true, parts: true }
const isWhole = ({ api, events, parts }: typeof state) => api && events && parts
const listeners = new Set<() => void>()

const waiting = new Set<() => void>()

/** Settles with what is waited for, or as soon as the API does not answer. */
export const whileItAnswers = (what: Promise<unknown>) =>
  new Promise<void>((done, fail) => {
    const over = () => {
      waiting.delete(over)
      done()
    }
    if (state.api) waiting.add(over)
    else over()
    what.then(over, fail)
  })

export function report(change: Partial<typeof state>): void {
  const next = { ...state, ...change }
  const changed = isWhole(next) !== isWhole(state)
  state = next
  if (!next.api) waiting.forEach((over) => over())
  if (changed) listeners.forEach((listener) => listener())
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useConnectionLost = () =>
  useSyncExternalStore(subscribe, () => !isWhole(state))
