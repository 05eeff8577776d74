import { Anchor, Paper } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { flushSync } from 'react-dom'
import { Link, Redirect } from 'wouter'
import { mayAnswer, mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { MaskedNumber, type Of } from '../requests/masked-number'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { EntryRow } from './entry-row'
import { GiveUp } from './give-up'
import { NewOwner } from './new-owner'
import { type Citizen, useCitizen } from './queries'
import { openOf, timelineOf, type Entry } from './timeline'
import rows from '../ui/rows.module.css'
import style from './citizens.module.css'

interface Props {
  me: Me
  of: string
  id: number
}

/** Everything with one citizen's number: what is open now, and all that was, in the order of time. */
export default function CitizenPage(props: Props) {
  const [gone, setGone] = useState(false)
  // At once: nobody asks any more for whoever is no citizen of this number now.
  return gone ? <Redirect to="/citizens" /> : <Known {...props} onGone={() => flushSync(() => setGone(true))} />
}

function Known({ me, of, id, onGone }: Props & { onGone: () => void }) {
  const { text } = useLanguage()
  const found = of === 'request' ? 'request' : 'registration'
  const { data: citizen, error } = useCitizen(found, id)
  useTitle(text.citizens.one)
  return (
    <div>
      <Header me={me} page="citizens"><Anchor component={Link} href="/citizens">{text.citizens.back}</Anchor></Header>
      <main className={rows.page}>
        <ErrorNotice error={error} />
        {!citizen && !error && <Loading />}
        {citizen && (
          <>
            <Who me={me} citizen={citizen} of={found} id={id} onGone={onGone} />
            <Open me={me} citizen={citizen} />
            <Entries title={text.citizens.all} entries={timelineOf(citizen)} />
          </>
        )}
      </main>
    </div>
  )
}

function Who({ me, citizen, of, id, onGone }: { me: Me; citizen: Citizen; of: Of; id: number; onGone: () => void }) {
  const { text } = useLanguage()
  return (
    <Paper withBorder component="section" className={style.who}>
      <span className={style.number}><MaskedNumber of={of} id={id} number={citizen.number} masked={citizen.masked} /></span>
      {citizen.blocked && <Tag tone="warning">{text.citizens.blocked}</Tag>}
      {mayMove(me.role) && <NewOwner of={of} id={id} onGone={onGone} />}
    </Paper>
  )
}

/** What the citizen will ask about. */
function Open({ me, citizen }: { me: Me; citizen: Citizen }) {
  const { text } = useLanguage()
  const { registrations, requests } = openOf(citizen)
  const entries: Entry[] = [
    ...registrations.map((registration): Entry => ({ kind: 'registration', at: registration.registered_at, registration })),
    ...requests.map((request): Entry => ({ kind: 'request', at: request.made_at, request })),
  ]
  if (entries.length === 0) return <Empty>{text.citizens.nothingOpen}</Empty>
  const act = (entry: Entry) =>
    entry.kind === 'registration' && entry.registration.state !== 'calling' && mayAnswer(me.role) && <GiveUp registration={entry.registration} />
  return <Entries title={text.citizens.open} entries={entries} act={act} />
}

function Entries({ title, entries, act }: { title: string; entries: Entry[]; act?: (entry: Entry) => ReactNode }) {
  return (
    <section>
      <h2 className={style.heading}>{title}</h2>
      <ol className={`${rows.rows} ${style.entries}`}>
        {entries.map((entry, place) => <EntryRow key={place} entry={entry}>{act?.(entry)}</EntryRow>)}
      </ol>
    </section>
  )
}
