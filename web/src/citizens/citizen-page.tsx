import { Anchor, Button, Paper } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from 'wouter'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../ui/header'
import { Loading } from '../ui/loading'
import { Num } from '../ui/number'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { EntryRow } from './entry-row'
import { type Citizen, type Of, showNumber, useCitizen } from './queries'
import { openOf, timelineOf, type Entry } from './timeline'
import rows from '../ui/rows.module.css'
import style from './citizens.module.css'

/** Everything with one citizen's number: what is open now, and all that was, in the order of time. */
export default function CitizenPage({ me, of, id }: { me: Me; of: string; id: number }) {
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
            <Who citizen={citizen} of={found} id={id} />
            <Open citizen={citizen} />
            <Entries title={text.citizens.all} entries={timelineOf(citizen)} />
          </>
        )}
      </main>
    </div>
  )
}

function Who({ citizen, of, id }: { citizen: Citizen; of: Of; id: number }) {
  const { text, format } = useLanguage()
  const words = text.citizens
  const shown = useMutation({ mutationFn: () => showNumber(of, id) })
  return (
    <Paper withBorder component="section" className={style.who}>
      <span className={style.number}><Num data-testid="citizen-number">{format.phone(shown.data ?? citizen.number)}</Num></span>
      {citizen.blocked && <Tag tone="later">{words.blocked}</Tag>}
      {citizen.masked && !shown.data && (
        <span className={style.show}>
          <Button variant="default" loading={shown.isPending} onClick={() => shown.mutate()} data-testid="show-number">{words.showNumber}</Button>
          <small>{words.recorded}</small>
        </span>
      )}
      <ErrorNotice error={shown.error} />
    </Paper>
  )
}

/** What the citizen will ask about. */
function Open({ citizen }: { citizen: Citizen }) {
  const { text } = useLanguage()
  const { registrations, requests } = openOf(citizen)
  const entries: Entry[] = [
    ...registrations.map((registration): Entry => ({ kind: 'registration', at: registration.registered_at, registration })),
    ...requests.map((request): Entry => ({ kind: 'request', at: request.made_at, request })),
  ]
  if (entries.length === 0) return <p className={rows.empty} role="status">{text.citizens.nothingOpen}</p>
  return <Entries title={text.citizens.open} entries={entries} />
}

function Entries({ title, entries }: { title: string; entries: Entry[] }) {
  return (
    <section>
      <h2 className={style.heading}>{title}</h2>
      <ol className={`${rows.rows} ${style.entries}`}>
        {entries.map((entry, place) => <EntryRow key={place} entry={entry} />)}
      </ol>
    </section>
  )
}
