import { useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Detail } from '../api/types'
import { WORDS } from '../kept/use-answer'
import { problemText } from '../language/language'

/** What is done with what the API says now. */
export interface Heard {
  put: (said: Detail) => void
  again: () => void
}

type Body = { json: unknown } | Record<string, never>

/** Say something of one of my requests, once: what may have been heard all the same is looked at. */
export function useSaying(tracking: string, { put, again }: Heard) {
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const say = async (what: 'confirm' | 'say' | 'rate', body: () => Promise<Body>, heard: () => void = () => undefined) => {
    setBusy(true)
    setWrong('')
    try {
      put(await ask<Detail>('POST', `/requests/${tracking}/${what}`, await body()))
      heard()
    } catch (failed) {
      const code = failed instanceof Refusal ? failed.code : 'away'
      setWrong(problemText(code))
      if (['away', 'wrong-state', 'answer-over', 'question-over'].includes(code)) again()
    }
    setBusy(false)
  }
  return { say, wrong, setWrong, busy }
}

/** Words that stay while they are written, until they have arrived. */
export function useWords(name: string) {
  const kept = WORDS + name
  const [words, setWords] = useState(() => localStorage.getItem(kept) ?? '')
  const write = (typed: string) => {
    setWords(typed)
    localStorage.setItem(kept, typed)
  }
  const forget = () => {
    setWords('')
    localStorage.removeItem(kept)
  }
  return { words, write, forget }
}
