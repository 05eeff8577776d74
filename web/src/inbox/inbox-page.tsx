import { Button } from '@mantine/core'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { districtName } from '../requests/names'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { Num } from '../ui/number'
import { useTitle } from '../ui/use-title'
import { categoryName } from './names'
import { type InboxRequest, type Part, useAcceptAll, useInbox, useInboxCounts } from './queries'
import { Standing } from './standing'
import own from './inbox.module.css'
import style from '../requests/requests.module.css'

/** So many are accepted by one press. */
const AT_ONCE = 100
const PARTS: Part[] = ['work', 'solved']

/** What is with my department, the late ones first. */
export default function InboxPage({ me }: { me: Me }) {
  const language = useLanguage()
  const { text } = language
  const [search] = useSearchParams()
  const part = PARTS.find((one) => one === search.get('part')) ?? 'work'
  useTitle(text.inbox.title)
  return (
    <div>
      <Header me={me} page="inbox">
        {me.department && <strong data-testid="my-department">{language.code === 'fa' ? me.department.name_fa : me.department.name_en}</strong>}
      </Header>
      <main className={own.inbox}>
        <Parts part={part} />
        <List key={part} part={part} />
        <Button
          component="a" variant="default" size="xs" className={own.bulk} href={`/api/v1/inbox.csv?part=${part}&language=${language.code}`} download
          data-testid="export"
        >
          {text.requests.export}
        </Button>
      </main>
    </div>
  )
}

function Parts({ part }: { part: Part }) {
  const { text, format } = useLanguage()
  const { data: counts, error } = useInboxCounts()
  return (
    <nav aria-label={text.inbox.parts} className={style.views}>
      {PARTS.map((one) => (
        <Link
          key={one} href={one === 'work' ? '/inbox' : `/inbox?part=${one}`} className={style.view} aria-current={one === part ? 'page' : undefined}
          data-testid={`part-${one}`}
        >
          {text.inbox.part[one]} <span>{counts ? format.number(counts[one]) : ''}</span>
        </Link>
      ))}
      <ErrorNotice error={error} />
    </nav>
  )
}

function List({ part }: { part: Part }) {
  const { text, format } = useLanguage()
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useInbox(part)
  const rows = data?.pages.flatMap(({ items }) => items) ?? []
  const [chosen, setChosen] = useState<number[]>([])
  const accepting = useAcceptAll(() => setChosen([]))
  const fresh = rows.filter(({ id, state }) => state === 'referred' && chosen.includes(id)).map(({ id }) => id)
  const choose = (id: number) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-AT_ONCE))
  const refused = Object.keys(accepting.data?.refused ?? {}).length
  return (
    <>
      <ErrorNotice error={error ?? accepting.error} />
      {refused > 0 && <Notice tone="warning" role="alert" data-testid="not-all">{text.inbox.notAll(format.number(refused))}</Notice>}
      {fresh.length > 0 && (
        <Button className={own.bulk} loading={accepting.isPending} onClick={() => accepting.mutate(fresh)} data-testid="accept-all">
          {text.inbox.acceptAll(format.number(fresh.length))}
        </Button>
      )}
      {isPending && <Loading />}
      {data && rows.length === 0 && <Empty data-testid="nothing">{text.inbox.none[part]}</Empty>}
      {rows.length > 0 && (
        <ul className={style.rows} aria-label={text.inbox.part[part]}>{rows.map((request) => <Row key={request.id} request={request} chosen={chosen.includes(request.id)} onChoose={() => choose(request.id)} />)}</ul>
      )}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} data-testid="more">{text.requests.more}</Button>
      )}
    </>
  )
}

interface RowProps {
  request: InboxRequest
  chosen: boolean
  onChoose: () => void
}

/** The whole row leads to it, but for the box by which several are accepted at once. */
function Row({ request, chosen, onChoose }: RowProps) {
  const language = useLanguage()
  const { text, format } = language
  const { id, tracking, district, written, spoken, voice_deleted, made_at } = request
  return (
    <li className={style.row} data-testid="request" data-id={id} data-state={request.state} data-late={request.late}>
      <span className={style.main}>
        <Link href={`/inbox/${id}`} className={style.link}>{categoryName(language, request)}{text.comma}{districtName(language, district)}</Link>
        <span className={style.words} dir="auto">{written || (spoken && text.requests.spoken) || (voice_deleted && text.requests.voiceDeleted)}</span>
      </span>
      <span className={style.tags}>
        {request.state === 'referred' && (
          <Button
            size="compact-md" className={own.choose} variant={chosen ? 'filled' : 'default'} aria-pressed={chosen} onClick={onChoose}
            title={text.inbox.choose(format.ticket(tracking))} data-testid="choose"
          >
            {text.inbox.chooseOne}
          </Button>
        )}
        <Standing request={request} />
      </span>
      <span className={style.when}>
        <Num>{format.ticket(tracking)}</Num>
        <span className={style.soft}>{format.aged(made_at)}</span>
      </span>
    </li>
  )
}
