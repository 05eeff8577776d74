import { IconDeviceMobileMessage, IconPhoneCall, IconReportSearch, IconTicket, type Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useLanguage } from '../language/language'
import { useSoundWords } from '../phone/sound-words'
import { recordingUrl } from '../recordings/queries'
import { districtName, dueDay } from '../requests/names'
import { CallTag } from '../callbacks/call-state'
import { Notes } from '../callbacks/notes'
import { Num } from '../ui/number'
import { Player } from '../ui/player'
import { Tag } from '../ui/tag'
import { useCategory } from '../requests/use-category'
import { useSubject } from '../subjects/use-subject'
import type { Entry } from './timeline'
import style from './citizens.module.css'

const ICONS: Record<Entry['kind'], Icon> = {
  registration: IconTicket, call: IconPhoneCall, request: IconReportSearch, message: IconDeviceMobileMessage,
}

/** One thing that was with a citizen: when, what, and what became of it; and what can be done with it. */
export function EntryRow({ entry, children }: { entry: Entry; children?: ReactNode }) {
  const { text, format } = useLanguage()
  const Icon = ICONS[entry.kind]
  return (
    <li className={style.entry} data-testid="entry" data-kind={entry.kind}>
      <Icon aria-hidden stroke={1.6} />
      <time dateTime={entry.at}>{[format.longDate(entry.at), format.time(entry.at), format.age(entry.at)].join(text.comma)}</time>
      <div className={style.what}><What entry={entry} />{children}</div>
    </li>
  )
}

function What({ entry }: { entry: Entry }): ReactNode {
  const language = useLanguage()
  const { text, format, office } = language
  const words = text.citizens
  const subject = useSubject()
  const category = useCategory()
  const sound = useSoundWords()
  switch (entry.kind) {
    case 'registration': {
      const { official, starts_at, in_operators_line, ticket, state, subject: about } = entry.registration
      return (
        <>
          <strong>{words.registered}</strong>
          <Num>{format.ticket(ticket)}</Num>
          <span>{in_operators_line ? text.history.operatorsLine : `${office(official)}${text.comma}${format.date(starts_at)}`}</span>
          <span>{subject(about)}</span>
          {state === 'calling' ? <CallTag state="calling" /> : <em>{text.history.state[state]}</em>}
        </>
      )
    }
    case 'call': {
      const { callback_id, outcome, talked_seconds, notes, recorded, quality, threat } = entry.call
      return (
        <>
          <strong>{words.called}</strong>
          {talked_seconds > 0 && <span>{text.history.talked(format.duration(talked_seconds * 1000))}</span>}
          {threat && <Tag tone="warning">{text.threat.mark}</Tag>}
          {quality && <span>{sound(quality)}</span>}
          {outcome && <em>{text.outcome[outcome]}</em>}
          <Notes notes={notes} />
          {recorded !== null && recorded > 0 && (
            <Player src={recordingUrl(callback_id)} label={text.recordings.player(format.ticket(entry.ticket))} broken={text.recordings.broken} />
          )}
        </>
      )
    }
    case 'request': {
      const { id, tracking, category: about, district, state, promised_until } = entry.request
      return (
        <>
          <strong>{words.reported}</strong>
          <Link href={`/requests/${id}`}><Num>{format.ticket(tracking)}</Num></Link>
          <span>{category(about)}{text.comma}{districtName(language, district)}</span>
          <em>{text.requests.state[state]}</em>
          {promised_until && <strong>{words.promisedUntil(dueDay(language, promised_until))}</strong>}
        </>
      )
    }
    case 'message': {
      const { kind, state } = entry.message
      return (
        <>
          <strong>{words.texted}</strong>
          <span>{words.messages[kind]}</span>
          <em>{words.delivery[state]}</em>
        </>
      )
    }
  }
}
