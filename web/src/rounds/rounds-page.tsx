import { Button, Switch } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { addDays, cityTime } from '../../shared/language/city-time'
import { useOfficials } from '../api/city'
import { serverNow } from '../api/clock'
import { mayPlan } from '../api/permissions'
import { useRoundsFrom } from '../api/rounds'
import type { Me, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { NoticeState, Who } from './facts'
import { RoundForm } from './round-form'
import cards from '../ui/cards.module.css'
import style from './rounds.module.css'

const PHASES: Round['phase'][] = ['live', 'open', 'closed', 'announced', 'planned', 'over', 'cancelled']

/** The programme: every round by its phase, and where new ones are made. */
export default function RoundsPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const [older, setOlder] = useState(false)
  const [making, setMaking] = useState(false)
  const [today] = useState(() => cityTime(serverNow()).day)
  const { data: rounds = [], isPending, error } = useRoundsFrom(`${addDays(today, older ? -365 : -30)}T00:00:00Z`)
  const { data: officials } = useOfficials()
  useEffect(() => {
    document.title = `${text.rounds.title} · ${text.brandNumber}`
  }, [text])

  return (
    <div>
      <Header me={me} page="rounds">
        {mayPlan(me.role) && (
          <Button disabled={!officials} onClick={() => setMaking(true)} data-testid="make-round">{text.rounds.make}</Button>
        )}
      </Header>
      <main className={cards.list}>
        {isPending && <Loading />}
        <ErrorNotice error={error} />
        {!isPending && rounds.length === 0 && (
          <Empty action={mayPlan(me.role) && <Button disabled={!officials} onClick={() => setMaking(true)}>{text.rounds.make}</Button>}>{text.rounds.none}</Empty>
        )}
        {PHASES.map((phase) => <Group key={phase} phase={phase} rounds={rounds.filter((round) => round.phase === phase)} />)}
        {!isPending && <Switch label={text.rounds.older} checked={older} onChange={(event) => setOlder(event.currentTarget.checked)} />}
      </main>
      {making && officials && <RoundForm officials={officials} onClose={() => setMaking(false)} />}
    </div>
  )
}

function Group({ phase, rounds }: { phase: Round['phase']; rounds: Round[] }) {
  const { text } = useLanguage()
  if (rounds.length === 0) return null
  const past = phase === 'over' || phase === 'cancelled'
  return (
    <section aria-labelledby={`phase-${phase}`} data-testid={`phase-${phase}`}>
      <h2 id={`phase-${phase}`}>{text.phase[phase]}</h2>
      <ul className={cards.items}>
        {(past ? rounds.toReversed() : rounds).map((round) => <Item key={round.id} round={round} />)}
      </ul>
    </section>
  )
}

function Item({ round }: { round: Round }) {
  const { text, format, office, hours } = useLanguage()
  const { counts, capacity } = round
  return (
    <li className={cards.item} data-testid="round" data-id={round.id}>
      <Link href={`/rounds/${round.id}`} className={cards.link}>{office(round.official)}</Link>
      <span>
        {format.longDate(round.starts_at)}{text.comma}{hours(round)}
      </span>
      <span className={cards.counts}>
        {text.rounds.counts(format.number(counts.waiting), format.number(counts.reached))}
        {capacity !== null && ` · ${text.rounds.capacity} ${format.number(capacity)}`}
      </span>
      <span className={style.badges}><NoticeState round={round} /></span>
      <span className={cards.more}>
        <Who round={round} />
        {round.reason && <span>{text.dialog.reason}: {round.reason}</span>}
      </span>
    </li>
  )
}
