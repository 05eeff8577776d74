import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import { number, watchNumber } from '../api/session'
import { dropArrived, store } from './store'

export interface Answer<Said> {
  said: Said | undefined
  /** When it was said, if the API does not answer now. */
  asOf: string
  /** Why there is none: a code of the API's, or «away». */
  problem: string
  /** What the API has answered to something else. */
  put: (said: Said) => void
  again: () => void
}

/** What the API says at this path, at once as it was said last; what is kept is the number's that is signed in. */
export function useAnswer<Said>(path: string): Answer<Said> {
  const [state, setState] = useState<Pick<Answer<Said>, 'said' | 'asOf' | 'problem'>>({ said: undefined, asOf: '', problem: '' })
  const [asked, setAsked] = useState(0)
  const ownerRef = useRef(number())
  const put = useCallback((said: Said) => {
    setState({ said, asOf: '', problem: '' })
    void store.answers.put({ name: path, owner: ownerRef.current, at: Date.now(), said }).catch(() => undefined)
  }, [path])
  useEffect(() => {
    let here = true
    const answered = async () => {
      const owner = (ownerRef.current = number())
      // What was kept may outlive its number's sign-out: the page may be left before it has forgotten it.
      const found = owner ? await store.answers.get(path).catch(() => undefined) : undefined
      const kept = found?.owner === owner ? found : undefined
      if (here && kept) setState({ said: kept.said as Said, asOf: '', problem: '' })
      try {
        const said = await ask<Said>('GET', path)
        if (here) put(said)
      } catch (failed) {
        if (!here) return
        const problem = failed instanceof Refusal ? failed.code : 'away'
        const asOf = kept && problem === 'away' ? new Date(kept.at).toISOString() : ''
        setState({ said: asOf ? (kept?.said as Said) : undefined, asOf, problem })
      }
    }
    void answered()
    const back = () => setAsked((count) => count + 1)
    window.addEventListener('online', back)
    return () => {
      here = false
      window.removeEventListener('online', back)
    }
  }, [path, put, asked])
  return { ...state, put, again: () => setAsked((count) => count + 1) }
}

/** Of what a citizen writes to a request: follow/saying.ts. */
export const WORDS = 'hotline137.my.words.'

/** Whoever is here next reads nothing of who was here before. */
export async function forgetAnswers(): Promise<void> {
  Object.keys(localStorage).filter((name) => name.startsWith(WORDS)).forEach((name) => localStorage.removeItem(name))
  await store.transaction('rw', store.reports, store.answers, () => Promise.all([dropArrived(), store.answers.clear()]))
}

// Signed out by another telephone, or by time.
watchNumber(() => {
  if (!number()) void forgetAnswers().catch(() => undefined)
})

/** Reports that this phone has and the API may not. */
export const unsent = (): Promise<number> => store.reports.where('state').anyOf('waiting', 'refused').count()

