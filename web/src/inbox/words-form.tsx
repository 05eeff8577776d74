import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { joined } from '../requests/evidence'
import { type ReadyFor, ReadyReplies } from '../requests/ready-replies'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type InboxDetail, useInboxAction } from './queries'
import style from '../requests/requests.module.css'

interface Props {
  label: string
  help: string
  action: string
  /** What the API calls the words. */
  field: 'reason' | 'question'
  longest: number
  /** Ready replies for it are offered. */
  ready?: ReadyFor
  act: (words: string) => Promise<InboxDetail | undefined>
  onDone: () => void
}

/** An act of the department that needs words; they stay until it is done. */
export function WordsForm({ label, help, action, field, longest, ready, act, onDone }: Props) {
  const { text } = useLanguage()
  const [words, setWords] = useState('')
  const mutation = useInboxAction(act, onDone)
  const { at, rest, send } = useFields({ [field]: !words.trim() && text.fields.missing }, mutation.error)
  return (
    <div className={style.form}>
      <Textarea
        {...at(field)} label={label} description={help} value={words} maxLength={longest} autosize minRows={3} data-testid="words"
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {ready && <ReadyReplies of={ready} onPick={(more) => setWords((before) => joined(before, more))} />}
      <ErrorNotice error={rest} />
      <Button loading={mutation.isPending} onClick={() => send(() => mutation.mutate(words.trim()))} data-testid="say">{action}</Button>
    </div>
  )
}
