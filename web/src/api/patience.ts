import { Problem } from './problem'

/** Gives up, so many milliseconds from now, what nobody has answered by then: with this problem. */
export function within(milliseconds: number, code: 'unreachable' | 'no-answer'): AbortSignal {
  const over = new AbortController()
  setTimeout(() => over.abort(new Problem(code, 0)), milliseconds)
  return over.signal
}
