import { useEffect, useRef, useState } from 'preact/hooks'
import { latinDigits } from '../../../shared/language/digits'
import { ask, Refusal } from '../api/ask'
import { askWays, knownWays } from '../api/categories'
import { setNumber } from '../api/session'
import type { Session, Way } from '../api/types'
import { forgetAnswers } from '../kept/use-answer'
import { language, problemText, text } from '../language/language'
import { Choices, Field, Wrong } from '../ui/field'
import { Head } from '../ui/head'
import { go } from '../ui/router'
import { Standing } from '../ui/standing'
import { codeOfMessage } from './message'

const ASKED = 'hotline137.my.asked'
const LASTS_MS = 5 * 60_000

/** For which number a code was asked not long ago: who reads it elsewhere may find this page loaded anew. */
function askedFor(): string {
  const { number = '', at = 0 } = JSON.parse(sessionStorage.getItem(ASKED) ?? '{}') as { number?: string; at?: number }
  return Date.now() - at < LASTS_MS ? number : ''
}

export function SignInPage() {
  const [number, setAsked] = useState(askedFor)
  const asked = (typed: string) => {
    sessionStorage.setItem(ASKED, JSON.stringify({ number: typed, at: Date.now() }))
    setAsked(typed)
  }
  return (
    <>
      <Head name={text.signIn.title} />
      {number ? <Code number={number} another={() => asked('')} /> : <Number asked={asked} />}
    </>
  )
}

const codeOf = (failed: unknown): string => (failed instanceof Refusal ? failed.code : 'away')

const OF_NUMBER = ['number-invalid', 'number-not-allowed']
const OF_WAY = ['way-missing', 'way-not-offered', 'way-needs-mobile', 'way-not-now']

function Number({ asked }: { asked: (number: string) => void }) {
  const { ways, way, choose, problem, again } = useWays()
  const [number, setTyped] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const mended = (codes: string[]) => setWrong((shown) => (codes.includes(shown) ? '' : shown))
  const send = async (event: Event) => {
    event.preventDefault()
    if (!way) {
      setWrong('way-missing')
      return
    }
    setBusy(true)
    setWrong('')
    try {
      await ask('POST', '/codes', { json: { number: latinDigits(number), by: way, language } })
      asked(latinDigits(number))
    } catch (failed) {
      setWrong(codeOf(failed))
      setBusy(false)
    }
  }
  const wrongOf = (codes: string[]) => (codes.includes(wrong) ? problemText(wrong) : '')
  const typed = (value: string) => {
    setTyped(value)
    mended(OF_NUMBER)
  }
  const chosen = (one: Way) => {
    choose(one)
    mended(OF_WAY)
  }
  return (
    <form onSubmit={(event) => void send(event)}>
      <p class="lead">{text.signIn.lead}</p>
      <Field label={text.signIn.number} wrong={wrongOf(OF_NUMBER)}>
        <input type="tel" autocomplete="tel" dir="ltr" lang="en" required maxLength={20} value={number} onInput={(event) => typed(event.currentTarget.value)} />
      </Field>
      {ways.length ? (
        <Choices legend={text.signIn.by} wrong={wrongOf(OF_WAY)}>
          <div class="choices">
            {ways.map((one) => (
              <label key={one} class={one === way ? 'choice chosen' : 'choice'}><input type="radio" name="by" checked={one === way} onChange={() => chosen(one)} />{text.signIn.ways[one]}</label>
            ))}
          </div>
        </Choices>
      ) : <Standing answer={{ said: undefined, asOf: '', problem, again }} />}
      <Wrong>{wrong && ![...OF_NUMBER, ...OF_WAY].includes(wrong) ? problemText(wrong) : ''}</Wrong>
      <button disabled={busy || !ways.length}>{text.signIn.ask}</button>
    </form>
  )
}

/**
 * The ways in which a code can come, and the chosen one: the usual way from the beginning. A way that is gone from a newer answer
 * leaves nothing chosen: nobody is called because a list changed under their finger.
 */
function useWays() {
  const [ways, setWays] = useState<Way[]>(knownWays)
  const [way, choose] = useState<Way | null>(ways[0] ?? null)
  const [problem, setProblem] = useState('')
  const [tries, setTries] = useState(0)
  const shownRef = useRef(ways.length > 0)
  useEffect(() => {
    setProblem('')
    askWays().then((said) => {
      const changed = shownRef.current
      shownRef.current = true
      setWays(said)
      choose((before) => (before && said.includes(before) ? before : changed ? null : said[0] ?? null))
    }, (failed: unknown) => setProblem(codeOf(failed)))
  }, [tries])
  return { ways, way, choose, problem, again: () => setTries((count) => count + 1) }
}

function Code({ number, another }: { number: string; another: () => void }) {
  const [code, setCode] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const show = async (shown: string) => {
    setBusy(true)
    setWrong('')
    try {
      const session = await ask<Session>('POST', '/sessions', { json: { number, code: latinDigits(shown) } })
      sessionStorage.removeItem(ASKED)
      await forgetAnswers()
      setNumber(session.number)
      go('', { instead: true })
    } catch (failed) {
      setWrong(codeOf(failed))
      setBusy(false)
    }
  }
  const typed = (value: string) => {
    setCode(value)
    setWrong('')
  }
  const showRef = useRef(show)
  useEffect(() => {
    showRef.current = show
  })
  useEffect(() => {
    const leaving = new AbortController()
    void codeOfMessage(leaving.signal).then((came) => {
      if (!came) return
      setCode(came)
      void showRef.current(came)
    })
    return () => leaving.abort()
  }, [])
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void show(code)
      }}
    >
      <p class="lead">{text.signIn.sent('‎' + number)}</p>
      <Field label={text.signIn.code} wrong={wrong === 'wrong-code' ? problemText(wrong) : ''}>
        <input inputMode="numeric" autocomplete="one-time-code" dir="ltr" lang="en" required maxLength={12} value={code} onInput={(event) => typed(event.currentTarget.value)} />
      </Field>
      <Wrong>{wrong && wrong !== 'wrong-code' ? problemText(wrong) : ''}</Wrong>
      <div class="row">
        <button disabled={busy}>{text.signIn.go}</button>
        <button type="button" class="quiet" onClick={another}>{text.signIn.another}</button>
      </div>
    </form>
  )
}
