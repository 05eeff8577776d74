import { Button, Group, NativeSelect, Paper, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Category } from '../api/city'
import { body, client } from '../api/client'
import { planningKey } from '../api/keys'
import { useLanguage } from '../language/language'
import { type ReadyReply, type Replies, useReadyReplies } from '../requests/ready-replies'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { type At, useFields } from '../ui/use-fields'
import type { Offer } from '../ui/use-undo'
import style from './categories.module.css'

interface Props { categories: Category[]; may: boolean; offer: Offer }

/** So many are enough (hotline/requests/ready_replies.py). */
const MOST = 100
const NONE: ReadyReply = { category: null, title_fa: '', title_en: '', text_fa: '', text_en: '' }

const save = (replies: Replies) => body(client.PUT('/api/v1/ready-replies', { body: replies }))

/** What whoever answers citizens inserts instead of writing it. */
export function ReadyRepliesForm(props: Props) {
  const { data, error } = useReadyReplies()
  return data ? <Form saved={data} {...props} /> : <ErrorNotice error={error} />
}

function Form({ saved, categories, may, offer }: Props & { saved: Replies }) {
  const { text } = useLanguage()
  const words = text.readyReplies
  const queries = useQueryClient()
  // What was saved elsewhere is shown, but nothing that somebody is writing here is thrown away.
  const [draft, setDraft] = useState<{ of: Replies; replies: ReadyReply[] } | null>(null)
  const replies = draft?.replies ?? saved.replies
  const write = (changed: ReadyReply[]) => setDraft({ of: draft?.of ?? saved, replies: changed })
  const saving = useMutation({
    mutationFn: ({ fresh }: { fresh: Replies; before: Replies }) => save(fresh),
    // The live event may be ahead of the answer: what was before is as it was when it was pressed.
    onSuccess: async ({ version }, { before }) => {
      offer({ said: words.saved, back: () => save({ ...before, version }) })
      await queries.invalidateQueries({ queryKey: planningKey })
      setDraft(null)
    },
    // Somebody was quicker: what they have saved is told of, beside what is written here.
    onError: () => queries.invalidateQueries({ queryKey: planningKey }),
  })
  const lacking = Object.fromEntries(replies.flatMap((one, row) =>
    (['title_fa', 'text_fa'] as const).map((part) => [`${row} ${part}`, !one[part].trim() && text.fields.missing])))
  const { at, rest, send } = useFields(lacking, saving.error)
  const overtaken = draft !== null && !saving.isPending && JSON.stringify(draft.of) !== JSON.stringify(saved)
  const able = JSON.stringify(replies) !== JSON.stringify(saved.replies)
  return (
    <Paper withBorder component="section" className={style.replies} aria-labelledby="ready-replies" data-testid="ready-replies-form">
      <h2 id="ready-replies">{words.title}</h2>
      <p className={style.soft}>{words.help}</p>
      {replies.map((one, row) => (
        <Row
          key={row} row={row} at={at} reply={one} categories={categories} may={may}
          onChange={(changed) => write(replies.map((other, place) => (place === row ? changed : other)))}
          onRemove={() => write(replies.filter((_, place) => place !== row))}
        />
      ))}
      <ErrorNotice error={rest} />
      <div role="status" className="live">
        {overtaken && (
          <Notice tone="warning" data-testid="replies-overtaken">
            {words.overtaken} <Button size="compact-sm" variant="default" onClick={() => setDraft(null)}>{words.takeTheirs}</Button>
          </Notice>
        )}
      </div>
      {may && (
        <Group>
          <Button variant="default" disabled={replies.length >= MOST} onClick={() => write([...replies, NONE])} data-testid="add-reply">{words.add}</Button>
          <Button disabled={!able} loading={saving.isPending} onClick={() => send(() => saving.mutate({ fresh: { replies, version: saved.version }, before: saved }))} data-testid="save-replies">{words.save}</Button>
        </Group>
      )}
    </Paper>
  )
}

interface RowProps {
  row: number
  at: At
  reply: ReadyReply
  categories: Category[]
  may: boolean
  onChange: (reply: ReadyReply) => void
  onRemove: () => void
}

function Row({ row, at, reply, categories, may, onChange, onRemove }: RowProps) {
  const { name, text } = useLanguage()
  const words = text.readyReplies
  const choices = categories.map((one) => ({ value: String(one.id), label: name(one) }))
  const field = (part: 'title_fa' | 'title_en' | 'text_fa' | 'text_en') => ({
    ...at(`${row} ${part}`), label: words[part], value: reply[part], maxLength: part.startsWith('title') ? 100 : 500, readOnly: !may,
    lang: part.slice(-2), dir: part.endsWith('fa') ? 'rtl' : 'ltr', 'data-testid': part,
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) => onChange({ ...reply, [part]: value }),
  })
  return (
    <fieldset className={style.reply} data-testid="reply-row">
      <NativeSelect
        label={words.category} value={reply.category ?? ''} disabled={!may} data={[{ value: '', label: words.all }, ...choices]} data-testid="reply-category"
        onChange={({ currentTarget: { value } }) => onChange({ ...reply, category: value ? Number(value) : null })}
      />
      <div className={style.pair}>
        <TextInput {...field('title_fa')} />
        <TextInput {...field('title_en')} />
        <Textarea {...field('text_fa')} autosize minRows={2} />
        <Textarea {...field('text_en')} autosize minRows={2} />
      </div>
      {may && <Button variant="subtle" color="brick" onClick={onRemove} aria-label={words.removeOne(reply.title_fa)} data-testid="remove-reply">{words.remove}</Button>}
    </fieldset>
  )
}
