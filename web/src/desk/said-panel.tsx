import { Button, NativeSelect, Paper, Textarea } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useId, useRef, useState } from 'react'
import { addDays, cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { keys, REQUESTS } from '../api/keys'
import { DRAFT } from '../api/session'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { dueDay } from '../requests/names'
import { ErrorNotice } from '../ui/error-notice'
import { Notes } from '../callbacks/notes'
import { Num } from '../ui/number'
import { History } from './history'
import { addNote, historyKey, promise, useHistory } from './queries'
import { ThreatButton } from './threat-button'
import style from './said-panel.module.css'

/** What a promise is usually given: days. */
const DAYS = [3, 7, 14, 30] as const
const USUAL = 7

/** What is said in a conversation, written by the official or by the one beside: a note, or a promise with its day. */
export function SaidPanel({ callback }: { callback: Callback | null }) {
  const { text, format } = useLanguage()
  useKeepsHalfWritten(callback?.id)
  const title = useId()
  return (
    <Paper withBorder component="section" className={style.said} aria-labelledby={title} data-testid="said">
      <h2 id={title}>
        {text.said.title}
        {callback && <span className={style.whose}>{text.line.ticket} <Num>{format.ticket(callback.registration.ticket)}</Num></span>}
      </h2>
      {callback && <Promised callback={callback} />}
      {callback
        ? <Write key={`write ${String(callback.id)}`} callback={callback} title={title} />
        : <Textarea disabled aria-labelledby={title} placeholder={text.said.nobody} />}
      {callback?.talking_at && <ThreatButton key={`threat ${String(callback.id)}`} callback={callback} />}
      {callback && <Before key={`before ${String(callback.id)}`} callback={callback} />}
    </Paper>
  )
}

/** What this citizen was promised, today or before. */
function Promised({ callback }: { callback: Callback }) {
  const language = useLanguage()
  const { text, format } = language
  const { data } = useHistory(callback)
  const promises = data?.requests.filter(({ promised_until }) => promised_until !== null) ?? []
  if (promises.length === 0) return null
  return (
    <ul className={style.promised} aria-label={text.said.promises} data-testid="said-promises">
      {promises.map((one) => (
        <li key={one.id}>
          <strong dir="auto">{format.digits(one.written)}</strong>
          {one.promised_until && <span>{text.requests.due(dueDay(language, one.promised_until))}</span>}
          <span>{text.requests.state[one.state]}</span>
          <Num>{format.ticket(one.tracking)}</Num>
        </li>
      ))}
    </ul>
  )
}

/** What was before, for who asks: the official reads from afar, and hears the citizen. */
function Before({ callback }: { callback: Callback }) {
  const { text } = useLanguage()
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} data-testid="said-before">
      <summary>{text.history.title}</summary>
      {open && <History callback={callback} />}
    </details>
  )
}

/** «Next» may come in the middle of a word: what was written of the one before is added to their notes. */
function useKeepsHalfWritten(id: number | undefined) {
  const before = useRef(id)
  useEffect(() => {
    const last = before.current
    before.current = id
    if (last === undefined || last === id) return
    const key = `${DRAFT}${String(last)}`
    const written = (JSON.parse(localStorage.getItem(key) ?? '""') as string).trim()
    if (written) void addNote(last, written).then(() => localStorage.removeItem(key))
  }, [id])
}

function Write({ callback: { id, notes }, title }: { callback: Callback; title: string }) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.said
  const queries = useQueryClient()
  // It outlives this page, and the browser.
  const key = `${DRAFT}${String(id)}`
  const [written, setWritten, forget] = useLocalStorage({ key, defaultValue: '' })
  const [days, setDays] = useState<number>(USUAL)
  const done = (sent: string) => {
    // What was typed while it was sent stays.
    if (localStorage.getItem(key) === JSON.stringify(sent)) forget()
    void queries.invalidateQueries({ queryKey: keys.me })
    void queries.invalidateQueries({ queryKey: keys.stages })
    void queries.invalidateQueries({ queryKey: REQUESTS })
    void queries.invalidateQueries({ queryKey: historyKey(id) })
  }
  const noting = useMutation({ mutationFn: (sent: string) => addNote(id, sent.trim()), onSuccess: (_, sent) => done(sent) })
  const promising = useMutation({
    mutationFn: (sent: string) => promise(id, sent.trim(), addDays(cityTime(serverNow()).day, days)),
    onSuccess: (_, sent) => done(sent),
  })
  const promised = promising.data?.request
  const nothing = !written.trim() || noting.isPending || promising.isPending
  return (
    <>
      <Notes notes={notes} />
      <div className={style.line}>
        <Textarea
          aria-labelledby={title} placeholder={words.placeholder} value={written} maxLength={500} autosize minRows={1} maxRows={4}
          className={style.field} data-testid="said-written" onChange={(event) => setWritten(event.currentTarget.value)}
        />
        <Button variant="default" disabled={nothing} loading={noting.isPending} onClick={() => noting.mutate(written)} data-testid="said-add">{words.add}</Button>
        <NativeSelect
          aria-label={words.until} value={String(days)} data-testid="said-days" onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={DAYS.map((one) => ({ value: String(one), label: words.within(format.number(one)) }))}
        />
        <Button disabled={nothing} loading={promising.isPending} onClick={() => promising.mutate(written)} data-testid="said-promise">{words.promise}</Button>
      </div>
      <p role="status" className={style.done} data-testid="said-done">
        {promised?.promised_until && !written && (
          <>{words.promised(dueDay(language, promised.promised_until))} <Num>{format.ticket(promised.tracking)}</Num></>
        )}
      </p>
      <ErrorNotice error={noting.error ?? promising.error} />
    </>
  )
}
