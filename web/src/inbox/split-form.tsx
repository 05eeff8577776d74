import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type InboxRequest, split, useInboxAction } from './queries'
import style from '../requests/requests.module.css'

/** A part of it is ours and stays here, under a number of its own; the office has the rest. */
export function SplitForm({ request }: { request: InboxRequest }) {
  const { text } = useLanguage()
  const words = text.inbox
  const [, go] = useLocation()
  const [ours, setOurs] = useState(request.written)
  const [rest, setRest] = useState('')
  const mutation = useInboxAction(async () => {
    const part = await split(request.id, { ours: ours.trim(), rest: rest.trim() })
    go(`/inbox/${part.request.id}`)
    return part
  })
  const { at, rest: other, send } = useFields({ ours: !ours.trim() && text.fields.missing, rest: !rest.trim() && text.fields.missing }, mutation.error)
  return (
    <div className={style.form} data-testid="split-form">
      <p className={style.soft}>{words.splitHelp}</p>
      <Textarea {...at('ours')} label={words.ours} value={ours} maxLength={2000} autosize minRows={2} data-testid="ours" onChange={(event) => setOurs(event.currentTarget.value)} />
      <Textarea {...at('rest')} label={words.rest} value={rest} maxLength={2000} autosize minRows={2} data-testid="rest" onChange={(event) => setRest(event.currentTarget.value)} />
      <ErrorNotice error={other} />
      <Button loading={mutation.isPending} onClick={() => send(() => mutation.mutate(undefined))} data-testid="split">{words.sendSplit}</Button>
    </div>
  )
}
