import { Button, Group, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type Pass, type Side, usePassOn } from './queries'
import style from '../requests/requests.module.css'

interface Props {
  side: Side
  id: number
  written: string
  /** One whose link is to be replaced. */
  again?: Pass
  onDone: (link: string) => void
  onClose: () => void
}

/** To which body, why, and what it reads: the citizen’s words, without what would tell who that is. */
export function PassForm({ side, id, written, again, onDone, onClose }: Props) {
  const { text } = useLanguage()
  const words = text.passes
  const { missing } = text.fields
  const [body, setBody] = useState(again?.body ?? '')
  const [contact, setContact] = useState(again?.contact ?? '')
  const [why, setWhy] = useState('')
  const [shown, setShown] = useState(again?.written || written)
  const passOn = usePassOn(side, id, onDone)
  const { at, rest, send } = useFields({
    body: !body.trim() && missing, contact: null, why: !why.trim() && missing, written: !shown.trim() && missing,
  }, passOn.error)
  return (
    <div className={style.form} data-testid="pass-form">
      <TextInput
        {...at('body')} label={words.body} description={words.bodyHelp} value={body} maxLength={100} readOnly={again !== undefined} data-testid="pass-body"
        onChange={(event) => setBody(event.currentTarget.value)}
      />
      <TextInput
        {...at('contact')} label={words.contact} description={words.contactHelp} value={contact} maxLength={100} dir="ltr" data-testid="pass-contact"
        onChange={(event) => setContact(event.currentTarget.value)}
      />
      <Textarea
        {...at('why')} label={words.why} description={words.whyHelp} value={why} maxLength={500} autosize minRows={1} data-testid="pass-why"
        onChange={(event) => setWhy(event.currentTarget.value)}
      />
      <Textarea
        {...at('written')} label={words.written} description={words.writtenHelp} value={shown} maxLength={2000} autosize minRows={3} data-testid="pass-written"
        onChange={(event) => setShown(event.currentTarget.value)}
      />
      <ErrorNotice error={rest} />
      <Group>
        <Button
          loading={passOn.isPending} data-testid="pass-on"
          onClick={() => send(() => passOn.mutate({ body: body.trim(), contact: contact.trim(), why: why.trim(), written: shown.trim() }))}
        >
          {words.make}
        </Button>
        <Button variant="default" onClick={onClose}>{words.cancel}</Button>
      </Group>
    </div>
  )
}
