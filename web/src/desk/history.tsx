import { Button, Paper } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { useMe } from '../api/session'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { seesCitizens } from '../pages'
import { useSoundWords } from '../phone/sound-words'
import { recordingUrl } from '../recordings/queries'
import { ErrorNotice } from '../ui/error-notice'
import { Notes } from '../callbacks/notes'
import { Num } from '../ui/number'
import { Player } from '../ui/player'
import { useCategory } from '../requests/use-category'
import { useSubject } from '../subjects/use-subject'
import { type CitizensHistory, type PastCall, type PastRegistration, useHistory } from './queries'
import style from './history.module.css'

/** So many are shown before one asks for more. */
const FEW = 3

/** What is known of the citizen in hand: earlier registrations with their calls and notes, and requests. */
export function History({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const category = useCategory()
  const { data, error } = useHistory(callback)
  const { data: me } = useMe()
  const [all, setAll] = useState(false)
  if (error) return <ErrorNotice error={error} />
  if (!data) return null

  const { registrations, requests } = past(data, callback)
  const shown = all ? Infinity : FEW
  const counts = [
    registrations.length > 0 && text.history.registrations(format.number(registrations.length)),
    requests.length > 0 && text.history.requests(format.number(requests.length)),
  ].filter(Boolean)
  return (
    <Paper withBorder component="section" className={style.history} aria-labelledby="history-title" data-testid="history">
      <header>
        <h2 id="history-title">{text.history.title}</h2>
        <span>{counts.join(text.comma) || text.history.none}</span>
        {counts.length > 0 && me && seesCitizens(me) && <Link href={`/citizens/registration/${callback.registration.id}`} data-testid="whole-history">{text.history.whole}</Link>}
      </header>
      <ul>
        {registrations.slice(0, shown).map((one) => <Registered key={one.id} past={one} />)}
        {requests.slice(0, shown).map((one) => (
          <li key={one.tracking} data-testid="past-request">
            <strong>{category(one.category)}</strong>
            <span>{text.requests.state[one.state]}</span>
            {one.district !== null && <span>{text.requests.inDistrict(format.number(one.district))}</span>}
            <span>{text.history.tracking} <Link href={`/requests/${one.id}`}><Num>{format.digits(one.tracking)}</Num></Link></span>
            <span>{format.aged(one.made_at)}</span>
          </li>
        ))}
      </ul>
      {(registrations.length > FEW || requests.length > FEW) && (
        <Button variant="subtle" size="xs" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? text.history.fewer : text.history.more}
        </Button>
      )}
    </Paper>
  )
}

/** Without the present call; the present registration only if it was called before. */
function past({ registrations, requests }: CitizensHistory, { id, registration }: Callback): CitizensHistory {
  const earlier = registrations
    .map((one) => ({ ...one, calls: one.calls.filter((call) => call.callback_id !== id) }))
    .filter((one) => one.id !== registration.id || one.calls.length > 0)
  return { registrations: earlier, requests }
}

function Registered({ past: { official, starts_at, in_operators_line, ticket, state, subject, calls } }: { past: PastRegistration }) {
  const { text, format, office } = useLanguage()
  const subjectOf = useSubject()
  return (
    <li data-testid="past-registration">
      <strong>{in_operators_line ? text.history.operatorsLine : `${office(official)}${text.comma}${format.date(starts_at)}`}</strong>
      <span>{subjectOf(subject)}</span>
      <span>{text.history.state[state]}</span>
      <span><Num>{format.ticket(ticket)}</Num></span>
      {calls.length > 0 && <ul>{calls.map((call) => <Called key={call.callback_id} call={call} ticket={ticket} />)}</ul>}
    </li>
  )
}

function Called({ call, ticket }: { call: PastCall; ticket: string }) {
  const { text, format } = useLanguage()
  const sound = useSoundWords()
  const about = [
    format.aged(call.at),
    call.threat && text.threat.mark,
    call.outcome && text.outcome[call.outcome],
    call.talked_seconds > 0 && text.history.talked(format.duration(call.talked_seconds * 1000)),
    sound(call.quality),
  ].filter(Boolean)
  return (
    <li>
      {about.join(text.comma)}
      <Notes notes={call.notes} />
      {call.recorded !== null && call.recorded > 0 && (
        <Player src={recordingUrl(call.callback_id)} label={text.recordings.player(format.ticket(ticket))} broken={text.recordings.broken} />
      )}
    </li>
  )
}
