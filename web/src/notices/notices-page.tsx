import { Anchor, Button, Switch } from '@mantine/core'
import { useState } from 'react'
import { addDays, cityTime } from '../../shared/language/city-time'
import { useOfficials } from '../api/city'
import { serverNow } from '../api/clock'
import { mayPlan } from '../api/permissions'
import type { Me, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { RoundForm } from '../rounds/round-form'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { useTitle } from '../ui/use-title'
import { grouped, type Group } from './groups'
import { NoticeItem } from './notice-item'
import { useNotices, type RoundNotice } from './queries'
import cards from '../ui/cards.module.css'
import style from './notices.module.css'

const GROUPS: Group[] = ['planned', 'out', 'past']

/** What the city publishes of its rounds: what is still to come out and what is out, ready to be copied. */
export default function NoticesPage({ me }: { me: Me }) {
  const { code, text } = useLanguage()
  const words = text.notices
  useTitle(words.title)
  const [older, setOlder] = useState(false)
  /** The round whose form is open. */
  const [open, setOpen] = useState<Round | 'new' | null>(null)
  const [today] = useState(() => cityTime(serverNow()).day)
  const { data, isPending, error } = useNotices(`${addDays(today, older ? -365 : -30)}T00:00:00Z`)
  const { data: officials } = useOfficials()
  const groups = grouped(data ?? [], serverNow())
  const make = mayPlan(me.role) && (
    <Button disabled={!officials} onClick={() => setOpen('new')} data-testid="make-round">{text.rounds.make}</Button>
  )
  const english = code === 'en' ? '?lang=en' : ''
  return (
    <div>
      <Header me={me} page="notices">{make}</Header>
      <main className={cards.list}>
        <p className={style.told}>
          <span>{words.help}</span>
          <Anchor className="alone" href={`/public/${english}`} target="_blank" rel="noreferrer">{words.publicPage}</Anchor>
          <Anchor className="alone" href={`/public/rounds.atom${english}`} target="_blank" rel="noreferrer">{words.feed}</Anchor>
          <Anchor className="alone" href="/public/rounds.ics">{words.calendar}</Anchor>
        </p>
        {isPending && <Loading />}
        <ErrorNotice error={error} />
        {data?.length === 0 && <Empty action={make}>{words.none}</Empty>}
        {GROUPS.map((group) => <NoticeGroup key={group} me={me} group={group} notices={groups[group]} onChange={setOpen} />)}
        {!isPending && <Switch label={words.older} checked={older} onChange={(event) => setOlder(event.currentTarget.checked)} />}
      </main>
      {open && officials && <RoundForm round={open === 'new' ? undefined : open} officials={officials} onClose={() => setOpen(null)} />}
    </div>
  )
}

interface GroupProps {
  me: Me
  group: Group
  notices: RoundNotice[]
  onChange: (round: Round) => void
}

function NoticeGroup({ me, group, notices, onChange }: GroupProps) {
  const { text } = useLanguage()
  if (notices.length === 0) return null
  return (
    <section aria-labelledby={`notices-${group}`} data-testid={`notices-${group}`}>
      <h2 id={`notices-${group}`}>{text.notices.group[group]}</h2>
      <ul className={cards.items}>
        {notices.map((notice) => <NoticeItem key={notice.round.id} me={me} notice={notice} onChange={onChange} />)}
      </ul>
    </section>
  )
}
