import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { useSoundWords } from '../phone/sound-words'
import { Num } from '../ui/number'
import { Player } from '../ui/player'
import { type Recording, recordingUrl } from './queries'
import cards from '../ui/cards.module.css'

interface ItemProps {
  recording: Recording
  /** What else to say of it. */
  about?: string
  children?: ReactNode
}

/** One recorded conversation, to be heard while its file is there. */
export function RecordingItem({ recording, about: more, children }: ItemProps) {
  const { text, format } = useLanguage()
  const sound = useSoundWords()
  const { callback_id, ticket, seconds, talking_at, desk_id, deleted_at, quality } = recording
  const where = desk_id === null ? '' : text.line.atDesk(format.number(desk_id))
  const about = [more, talking_at && format.aged(talking_at), where, format.duration(seconds * 1000), sound(quality)].filter(Boolean)
  const gone = deleted_at ? text.recordings.deleted(format.moment(deleted_at)) : text.recordings.silent
  return (
    <li className={cards.ends} data-testid="recording" data-id={callback_id}>
      <span>
        <strong><Num>{format.ticket(ticket)}</Num></strong> <span className={cards.counts}>{about.join(text.comma)}</span>
      </span>
      {deleted_at || seconds === 0 ? <span className={cards.counts}>{gone}</span> : (
        <Player src={recordingUrl(callback_id)} label={text.recordings.player(format.ticket(ticket))} broken={text.recordings.broken} />
      )}
      {children}
    </li>
  )
}
