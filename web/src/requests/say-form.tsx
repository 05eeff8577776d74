import { Button, Textarea } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type RequestDetail, useRequestAction } from './queries'
import style from './requests.module.css'

interface Props {
  label: string
  help?: string
  action: string
  color?: string
  longest: number
  act: (words: string) => Promise<RequestDetail>
  onDone: () => void
  /** What else is asked. */
  children?: ReactNode
}

/** An action that needs words. */
export function SayForm({ label, help, action, color = 'turquoise', longest, act, onDone, children }: Props) {
  const [words, setWords] = useState('')
  const { text } = useLanguage()
  const mutation = useRequestAction(act, onDone)
  const { at, rest, send } = useFields({ reason: !words.trim() && text.fields.missing }, mutation.error)
  return (
    <div className={style.form}>
      <Textarea
        {...at('reason')} label={label} description={help} value={words} maxLength={longest} autosize minRows={3} data-testid="words"
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {children}
      <ErrorNotice error={rest} />
      <Button color={color} variant={color === 'brick' ? 'light' : 'filled'} loading={mutation.isPending} onClick={() => send(() => mutation.mutate(words.trim()))} data-testid="say">
        {action}
      </Button>
    </div>
  )
}
