import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { KEY } from '../ui/keys'
import { Player } from '../ui/player'
import { voiceMessageUrl } from './queries'
import style from './voice-message.module.css'

/** The message that the citizen left when registering, to be heard; nothing where there is none. `next`: the key is for that of whoever is in hand. */
export function VoiceMessage({ registration, next = false }: { registration: Registration; next?: boolean }) {
  const { text, format } = useLanguage()
  if (!registration.has_voice_message) return null
  return (
    <div className={style.voiceMessage}>
      <strong>{text.voiceMessage.title} {!next && <Key>{KEY.voiceMessage}</Key>}</strong>
      <Player
        src={voiceMessageUrl(registration.id)} label={text.voiceMessage.player(format.ticket(registration.ticket))} broken={text.voiceMessage.broken}
        {...(next ? { testId: 'next-voice-message' } : { letter: KEY.voiceMessage, testId: 'voice-message' })}
      />
    </div>
  )
}
