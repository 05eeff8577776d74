import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { KEY } from '../ui/keys'
import { Player } from '../ui/player'
import { messageUrl } from './queries'
import style from './message.module.css'

/** The message that the citizen left when registering, to be heard; nothing where there is none. */
export function Message({ registration }: { registration: Registration }) {
  const { text, format } = useLanguage()
  if (!registration.message) return null
  return (
    <div className={style.message}>
      <strong>{text.message.title} <Key>{KEY.message}</Key></strong>
      <Player
        src={messageUrl(registration.id)} label={text.message.player(format.ticket(registration.ticket))} broken={text.message.broken}
        letter={KEY.message} testId="message"
      />
    </div>
  )
}
