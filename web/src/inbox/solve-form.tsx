import { Button, FileInput, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { answer, type InboxRequest, sendPicture, useInboxAction } from './queries'
import style from '../requests/requests.module.css'

const MOST = 3

/** It is solved, with what its category demands: words, a picture, or nothing. A picture that has arrived is not sent twice. */
export function SolveForm({ request, onDone }: { request: InboxRequest; onDone: () => void }) {
  const { text } = useLanguage()
  const words = text.inbox
  const [reply, setReply] = useState('')
  const [files, setFiles] = useState<File[]>([])
  const [arrived] = useState(() => new Map<File, string>())
  const mutation = useInboxAction(async () => {
    for (const file of files) if (!arrived.has(file)) arrived.set(file, (await sendPicture(file)).id)
    return answer(request.id, { reply: reply.trim(), solved: true, pictures: files.map((file) => arrived.get(file) ?? '') })
  }, onDone)
  const { at, rest, send } = useFields({
    reason: request.evidence === 'text' && !reply.trim() ? text.fields.missing : null,
    pictures: request.evidence === 'picture' && files.length === 0 ? words.pictureMissing : null,
  }, mutation.error)
  return (
    <div className={style.form}>
      <Textarea
        {...at('reason')} label={words.solveLabel} description={words.solveHelp} value={reply} maxLength={500} autosize minRows={3} data-testid="words"
        onChange={(event) => setReply(event.currentTarget.value)}
      />
      <FileInput
        {...at('pictures')} label={words.pictures} placeholder={words.choosePictures} description={words.picturesHelp} multiple clearable clearButtonProps={{ 'aria-label': words.remove }}
        accept="image/jpeg,image/png,image/webp" value={files} onChange={(chosen) => setFiles(chosen.slice(0, MOST))} data-testid="evidence"
      />
      <ErrorNotice error={rest} />
      <Button loading={mutation.isPending} onClick={() => send(() => mutation.mutate(undefined))} data-testid="say">{words.sendSolved}</Button>
    </div>
  )
}
