import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { EvidenceInput, joined, useEvidence } from '../requests/evidence'
import { ReadyReplies } from '../requests/ready-replies'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { answer, type InboxRequest, sendPicture, useInboxAction } from './queries'
import style from '../requests/requests.module.css'

/** It is solved, with what its category demands: words, a picture, or nothing. */
export function SolveForm({ request, onDone }: { request: InboxRequest; onDone: () => void }) {
  const { text } = useLanguage()
  const words = text.inbox
  const [reply, setReply] = useState('')
  const evidence = useEvidence(sendPicture)
  const mutation = useInboxAction(async () => answer(request.id, { reply: reply.trim(), solved: true, pictures: await evidence.sent() }), onDone)
  const { at, rest, send } = useFields({
    reason: request.evidence === 'text' && !reply.trim() ? text.fields.missing : null,
    pictures: request.evidence === 'picture' && evidence.count === 0 ? text.requests.evidenceMissing : null,
  }, mutation.error)
  return (
    <div className={style.form}>
      <Textarea
        {...at('reason')} label={words.solveLabel} description={words.solveHelp} value={reply} maxLength={500} autosize minRows={3} data-testid="words"
        onChange={(event) => setReply(event.currentTarget.value)}
      />
      <ReadyReplies of={request} onPick={(ready) => setReply((before) => joined(before, ready))} />
      <EvidenceInput at={at} evidence={evidence} side="inbox" id={request.id} onWords={(more) => setReply((before) => joined(before, more))} />
      <ErrorNotice error={rest} />
      <Button loading={mutation.isPending} onClick={() => send(() => mutation.mutate(undefined))} data-testid="say">{words.sendSolved}</Button>
    </div>
  )
}
