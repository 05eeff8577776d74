import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import { askWays, knownWays } from '../api/categories'
import { setNumber } from '../api/session'
import type { Session, Way } from '../api/types'
import { forgetAnswers } from '../kept/use-answer'
import { latin } from '../language/format'
import { language, problemText, text } from '../language/language'
import { Field } from '../ui/field'
import { Head } from '../ui/head'
import { go } from '../ui/router'
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

const said = (failed: unknown): string => problemText(failed instanceof Refusal ? failed.code : 'away')

function Number({ asked }: { asked: (number: string) => void }) {
  const [ways, setWays] = useState<Way[]>(knownWays)
  const [number, setTyped] = useState('')
  const [by, setBy] = useState<Way | null>(null)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  useEffect(() => void askWays().then(setWays, () => undefined), [])
  const way = by ?? ways[0] ?? 'call'
  const send = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setWrong('')
    try {
      await ask('POST', '/codes', { json: { number: latin(number), by: way, language } })
      asked(latin(number))
    } catch (failed) {
      setWrong(said(failed))
      setBusy(false)
    }
  }
  return (
    <form onSubmit={(event) => void send(event)}>
      <p class="lead">{text.signIn.lead}</p>
      <Field label={text.signIn.number} wrong={wrong}>
        <input type="tel" autocomplete="tel" dir="ltr" lang="en" required maxLength={20} value={number} onInput={(event) => setTyped(event.currentTarget.value)} />
      </Field>
      {ways.length > 1 ? (
        <fieldset>
          <legend>{text.signIn.by}</legend>
          <div class="choices">
            {ways.map((one) => (
              <label key={one} class={one === way ? 'choice chosen' : 'choice'}><input type="radio" name="by" checked={one === way} onChange={() => setBy(one)} />{text.signIn.ways[one]}</label>
            ))}
          </div>
        </fieldset>
      ) : null}
      <button disabled={busy}>{text.signIn.ask}</button>
    </form>
  )
}

function Code({ number, another }: { number: string; another: () => void }) {
  const [code, setCode] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const show = async (shown: string) => {
    setBusy(true)
    setWrong('')
    try {
      const session = await ask<Session>('POST', '/sessions', { json: { number, code: latin(shown) } })
      sessionStorage.removeItem(ASKED)
      await forgetAnswers()
      setNumber(session.number)
      go('', { instead: true })
    } catch (failed) {
      setWrong(said(failed))
      setBusy(false)
    }
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
      <Field label={text.signIn.code} wrong={wrong}>
        <input inputMode="numeric" autocomplete="one-time-code" dir="ltr" lang="en" required maxLength={12} value={code} onInput={(event) => setCode(event.currentTarget.value)} />
      </Field>
      <div class="row">
        <button disabled={busy}>{text.signIn.go}</button>
        <button type="button" class="quiet" onClick={another}>{text.signIn.another}</button>
      </div>
    </form>
  )
}
