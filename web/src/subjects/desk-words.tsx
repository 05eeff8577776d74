import { Button, Group, Paper, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { REASONS } from '../desks/break-reasons'
import { type DeskWords as Words, useDeskWords } from '../desks/use-desk-words'
import { useFields, type At } from '../ui/use-fields'
import type { Offer } from '../ui/use-undo'
import style from './subjects.module.css'

type Both = Words['ready_notes'][number]
interface Props { may: boolean; offer: Offer }

/** So many ready notes are enough. */
const MOST = 12
const LANGUAGES = ['fa', 'en'] as const
const NONE: Both = { fa: '', en: '' }

const saveWords = (words: Words) => body(client.PUT('/api/v1/desk-words', { body: words }))

/** What desks press instead of writing it, and what the city calls a break. */
export function DeskWords(props: Props) {
  const { data, error } = useDeskWords()
  return data ? <Form saved={data} {...props} /> : <ErrorNotice error={error} />
}

function Form({ saved, may, offer }: Props & { saved: Words }) {
  const { text } = useLanguage()
  const words = text.deskWords
  const queries = useQueryClient()
  // What was saved elsewhere is shown, but nothing that somebody is writing here is thrown away.
  const [draft, setDraft] = useState<{ of: Words; words: Words } | null>(null)
  const { ready_notes: notes, breaks } = draft?.words ?? saved
  const write = (changed: Partial<Words>) => setDraft({ of: draft?.of ?? saved, words: { ready_notes: notes, breaks, ...changed } })
  const setNotes = (ready_notes: Both[]) => write({ ready_notes })
  const setBreaks = (named: Words['breaks']) => write({ breaks: named })
  const save = useMutation({
    mutationFn: ({ fresh }: { fresh: Words; before: Words }) => saveWords(fresh),
    // The live event may be ahead of the answer: what was before is as it was when it was pressed.
    onSuccess: async (_, { before }) => {
      offer({ said: words.saved, back: () => saveWords(before) })
      await queries.invalidateQueries({ queryKey: planningKey })
      setDraft(null)
    },
  })
  const overtaken = draft !== null && !save.isPending && JSON.stringify(draft.of) !== JSON.stringify(saved)
  const isWhole = ({ fa, en }: Both) => fa.trim() !== '' && en.trim() !== ''
  const isEmpty = ({ fa, en }: Both) => fa.trim() + en.trim() === ''
  const named = Object.fromEntries(Object.entries(breaks).filter(([, both]) => !isEmpty(both)))
  const wanted = { ready_notes: notes, breaks: named }
  const rows: [string, Both][] = [...notes.map((both, place): [string, Both] => [String(place), both]), ...Object.entries(named)]
  const lacking = Object.fromEntries(rows.flatMap(([row, both]) => LANGUAGES.map((code) => [`${row} ${code}`, !both[code].trim() && text.fields.missing])))
  const { at, rest, send } = useFields(lacking, save.error)
  const whole = rows.every(([, both]) => isWhole(both))
  const able = JSON.stringify(wanted) !== JSON.stringify(saved)
  return (
    <Paper withBorder component="section" className={style.words} aria-labelledby="desk-words" data-testid="desk-words">
      <h2 id="desk-words">{words.title}</h2>
      <p className={style.heard}>{words.help}</p>
      {notes.map((both, place) => (
        <div key={place} className={style.pair} data-testid="ready-note-row">
          <Pair at={at} row={String(place)} both={both} may={may} label={text.readyNotes.title} onChange={(now) => setNotes(notes.map((one, other) => (other === place ? now : one)))} />
          {may && <Button variant="subtle" color="brick" onClick={() => setNotes(notes.filter((_, other) => other !== place))} data-testid="remove-note">{words.remove}</Button>}
        </div>
      ))}
      {may && <Group><Button variant="default" disabled={notes.length >= MOST} onClick={() => setNotes([...notes, NONE])} data-testid="add-note">{words.add}</Button></Group>}
      <h3>{words.breaks}</h3>
      <p className={style.heard}>{words.breaksHelp}</p>
      {REASONS.map((reason) => (
        <div key={reason} className={style.pair} data-testid="break-row" data-reason={reason}>
          <span className={style.reason}>{text.breaks.reason[reason]}</span>
          <Pair at={at} row={reason} both={breaks[reason] ?? NONE} may={may} label={text.breaks.reason[reason]} onChange={(now) => setBreaks({ ...breaks, [reason]: now })} />
        </div>
      ))}
      <ErrorNotice error={rest} />
      <div role="status" className="live">
        {!whole && <Notice tone="warning" data-testid="words-not-whole">{words.bothLanguages}</Notice>}
        {overtaken && (
          <Notice tone="warning" data-testid="words-overtaken">
            {words.overtaken} <Button size="compact-sm" variant="default" onClick={() => setDraft(null)}>{words.takeTheirs}</Button>
          </Notice>
        )}
      </div>
      {may && <Group><Button disabled={!able} loading={save.isPending} onClick={() => send(() => save.mutate({ fresh: wanted, before: saved }))} data-testid="save-words">{words.save}</Button></Group>}
    </Paper>
  )
}

function Pair({ at, row, both, label, may, onChange }: { at: At; row: string; both: Both; label: string; may: boolean; onChange: (both: Both) => void }) {
  const { text } = useLanguage()
  const words = text.subjects
  return (
    <>
      <TextInput
        {...at(`${row} fa`)} aria-label={`${label}${text.comma}${words.fa}`} placeholder={words.fa} value={both.fa} maxLength={100} readOnly={!may} lang="fa" dir="rtl" data-testid="word-fa"
        onChange={(event) => onChange({ ...both, fa: event.currentTarget.value })}
      />
      <TextInput
        {...at(`${row} en`)} aria-label={`${label}${text.comma}${words.en}`} placeholder={words.en} value={both.en} maxLength={100} readOnly={!may} lang="en" dir="ltr" classNames={{ input: style.english }} data-testid="word-en"
        onChange={(event) => onChange({ ...both, en: event.currentTarget.value })}
      />
    </>
  )
}
