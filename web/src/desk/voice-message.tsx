import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { VOICE } from '../api/keys'
import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { Notes } from '../callbacks/notes'
import { Player } from '../ui/player'
import { useFields } from '../ui/use-fields'
import { sumUpVoiceMessage, useVoiceMessage, voiceMessageUrl } from './queries'
import style from './voice-message.module.css'

const LONGEST = 300

const focus = (input: HTMLInputElement | null) => input?.focus()

/** The message that the citizen left when registering, to be heard; nothing where there is none. `next`: the key is for that of whoever is in hand. */
export function VoiceMessage({ registration, next = false }: { registration: Registration; next?: boolean }) {
  const { text, format } = useLanguage()
  const words = text.voiceMessage
  const { id, has_voice_message: there } = registration
  const { data } = useVoiceMessage(id, there)
  if (!there) return null
  const about = data && [
    words.seconds(format.number(data.seconds)), words.languages[data.language as keyof typeof words.languages], words.leftAt(format.aged(data.made_at)),
  ]
  return (
    <div className={style.voiceMessage}>
      <div className={style.heard}>
        <strong>{words.title} {!next && <Key>{KEY.voiceMessage}</Key>}</strong>
        <Player
          src={voiceMessageUrl(id)} label={words.player(format.ticket(registration.ticket))} broken={words.broken}
          {...(next ? { testId: 'next-voice-message' } : { letter: KEY.voiceMessage, testId: 'voice-message' })}
        />
        <span className={style.about} data-testid="voice-about">{about?.filter(Boolean).join(text.comma)}</span>
      </div>
      {data && <Summary id={id} said={data.summary} />}
    </div>
  )
}

/** What it says, in a sentence of whoever heard it first: there is nothing else here that could tell. */
function Summary({ id, said }: { id: number; said: { by: string; at: string; written: string } | null }) {
  const { text } = useLanguage()
  const words = text.voiceMessage
  const queries = useQueryClient()
  const [open, setOpen] = useState(false)
  const [written, setWritten] = useState('')
  const save = useMutation({
    mutationFn: () => sumUpVoiceMessage(id, written.trim()),
    onSuccess: () => {
      setOpen(false)
      return queries.invalidateQueries({ queryKey: VOICE })
    },
  })
  const { at, rest, send } = useFields({ written: !written.trim() && text.fields.missing }, save.error)
  const begin = () => {
    setWritten(said?.written ?? '')
    setOpen(true)
  }
  return (
    <div data-testid="voice-summary">
      {said && !open && <Notes label={words.summary} notes={[said]} />}
      {!open && <Button variant="subtle" size="compact-md" onClick={begin} data-testid="sum-up">{said ? words.change : words.write}</Button>}
      {open && (
        <form
          className={style.form} noValidate
          onSubmit={(event) => {
            event.preventDefault()
            if (!save.isPending) send(save.mutate)
          }}
        >
          <TextInput
            {...at('written')} label={words.summary} placeholder={words.summaryHelp} value={written} maxLength={LONGEST} ref={focus} data-testid="summary"
            className={style.field} onChange={(event) => setWritten(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={save.isPending} data-testid="save-summary">{words.save}</Button>
          <ErrorNotice error={rest} />
        </form>
      )}
    </div>
  )
}
