import { Button, Checkbox, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useCategories } from '../api/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { EvidenceInput, joined, useEvidence } from './evidence'
import { type CityRequest, replyToRequest, sendEvidence, useRequestAction } from './queries'
import { ReadyReplies } from './ready-replies'
import style from './requests.module.css'

/** Tells the citizen how it goes on; or that it is solved, shown by what its category demands, and asks whether it is. */
export function ReplyForm({ request, language, onDone }: { request: CityRequest; language: string; onDone: () => void }) {
  const { text } = useLanguage()
  const words = text.requests
  const { data: categories = [] } = useCategories()
  const [reply, setReply] = useState('')
  const [solved, setSolved] = useState(false)
  const pictures = useEvidence(sendEvidence)
  const demanded = solved && categories.find(({ id }) => id === request.category)?.evidence
  const act = async () => replyToRequest(request.id, { reply: reply.trim(), solved, pictures: solved ? await pictures.sent() : [] })
  const mutation = useRequestAction(act, onDone)
  const { at, rest, send } = useFields({
    reason: (demanded === 'text' || !solved) && !reply.trim() && text.fields.missing,
    pictures: demanded === 'picture' && pictures.count === 0 && words.evidenceMissing,
  }, mutation.error)
  return (
    <div className={style.form}>
      <Textarea
        {...at('reason')} label={words.reply} description={words.replyHelp} value={reply} maxLength={500} autosize minRows={3} data-testid="words"
        onChange={(event) => setReply(event.currentTarget.value)}
      />
      <ReadyReplies of={{ category: request.category, language }} onPick={(ready) => setReply((before) => joined(before, ready))} />
      <Checkbox label={words.solved} checked={solved} onChange={(event) => setSolved(event.currentTarget.checked)} data-testid="solved" />
      {solved && <EvidenceInput at={at} evidence={pictures} side="requests" id={request.id} onWords={(more) => setReply((before) => joined(before, more))} />}
      <ErrorNotice error={rest} />
      <Button loading={mutation.isPending} onClick={() => send(() => mutation.mutate(undefined))} data-testid="say">{words.sendReply}</Button>
    </div>
  )
}
