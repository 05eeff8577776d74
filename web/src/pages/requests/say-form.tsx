import { Button, Textarea } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { type RequestDetail, useRequestDeed } from '../../api/requests'
import { Complaint } from '../../ui/complaint'
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

/** A deed that needs words. */
export function SayForm({ label, help, action, color = 'turquoise', longest, act, onDone, children }: Props) {
  const [words, setWords] = useState('')
  const deed = useRequestDeed(act, onDone)
  return (
    <div className={style.form}>
      <Textarea
        label={label} description={help} value={words} maxLength={longest} autosize minRows={3} data-testid="words"
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {children}
      <Complaint error={deed.error} />
      <Button color={color} disabled={!words.trim()} loading={deed.isPending} onClick={() => deed.mutate(words.trim())} data-testid="say">
        {action}
      </Button>
    </div>
  )
}
