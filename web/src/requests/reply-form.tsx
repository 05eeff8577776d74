import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { type CityRequest, replyToRequest } from './queries'
import { SayForm } from './say-form'

/** Tells the citizen how it goes on; or that it is solved, and asks whether it is. */
export function ReplyForm({ request, onDone }: { request: CityRequest; onDone: () => void }) {
  const { text } = useLanguage()
  const words = text.requests
  const [solved, setSolved] = useState(false)
  return (
    <SayForm
      label={words.reply} help={words.replyHelp} action={words.sendReply} longest={500} onDone={onDone}
      act={(reply) => replyToRequest(request.id, reply, solved)}
    >
      <Checkbox label={words.solved} checked={solved} onChange={(event) => setSolved(event.currentTarget.checked)} data-testid="solved" />
    </SayForm>
  )
}
