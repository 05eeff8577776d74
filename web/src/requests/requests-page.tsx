import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { Suspense, useEffect, useState, type SyntheticEvent } from 'react'
import { Link, useLocation } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { part } from '../ui/part'
import { DistrictMap } from './district-map'
import { Export } from './export'
import { Filters } from './filters'
import { countOf, type InboxFilter, useInboxFilter, VIEWS } from './inbox-filter'
import { useKept } from './kept'
import { KeptFilters } from './kept-filters'
import { mayHandle } from './names'
import { type CityRequest, findRequest, useRequestCounts, useRequests } from './queries'
import { RequestRow } from './request-row'
import style from './requests.module.css'

/** With its calendar it is as much to load as all the rest of the page. */
const WriteForm = part(async () => ({ default: (await import('./write-form')).WriteForm }))

type Side = 'list' | 'map'

/** From here on both have room (requests.module.css). */
const BESIDE = '(min-width: 1001px)'

/** The inbox: what was reported, in the order of work. */
export default function RequestsPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const inbox = useInboxFilter()
  const [writing, setWriting] = useState(false)
  const [pointed, setPointed] = useState<number | null>(null)
  const [side, setSide] = useState<Side>('list')
  const beside = useMediaQuery(BESIDE, true, { getInitialValueInEffect: false })
  useEffect(() => {
    document.title = `${text.requests.title} · ${text.brandNumber}`
  }, [text])

  return (
    <div>
      <Header me={me} page="requests">
        <div className={style.head}>
          <Search />
          {mayHandle(me.role) && (
            <Button onClick={() => setWriting(true)} data-testid="write-request">{text.requests.write}</Button>
          )}
        </div>
      </Header>
      <main className={style.inbox}>
        <div className={style.list}>
          <KeptFilters />
          <Views inbox={inbox} />
          <Filters inbox={inbox} />
          {!beside && (
            <SegmentedControl
              value={side} onChange={setSide} aria-label={text.map.switch} data-testid="list-or-map"
              data={[{ value: 'list', label: text.map.list }, { value: 'map', label: text.map.map }]}
            />
          )}
          {(beside || side === 'list') && (
            <>
              <List inbox={inbox} onPoint={setPointed} />
              <Export me={me} inbox={inbox} />
            </>
          )}
        </div>
        {(beside || side === 'map') && <DistrictMap inbox={inbox} pointed={pointed} />}
      </main>
      {writing && <Suspense><WriteForm onClose={() => setWriting(false)} /></Suspense>}
    </div>
  )
}

function Search() {
  const { text } = useLanguage()
  const [, go] = useLocation()
  const [tracking, setTracking] = useState('')
  const search = useMutation({ mutationFn: findRequest, onSuccess: ({ id }) => go(`/requests/${id}`) })
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    const digits = latinDigits(tracking).replace(/\D/g, '')
    if (digits) search.mutate(digits)
  }
  return (
    <form onSubmit={submit} className={style.search} role="search">
      <TextInput
        aria-label={text.requests.search} placeholder={text.requests.search} value={tracking} inputMode="numeric" maxLength={20}
        data-testid="tracking" onChange={(event) => setTracking(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" loading={search.isPending} data-testid="find">{text.requests.find}</Button>
      <ErrorNotice error={search.error} />
    </form>
  )
}

function Views({ inbox }: { inbox: InboxFilter }) {
  const { text, format } = useLanguage()
  const { data: counts, error } = useRequestCounts(inbox.common)
  return (
    <nav aria-label={text.requests.states} className={style.views}>
      {VIEWS.map((view) => {
        const count = countOf(view, counts)
        return (
          <Link
            key={view} href={inbox.address({ view: view === 'work' ? undefined : view })} className={style.view} data-view={view}
            data-late={view === 'overdue' && Boolean(count)} aria-current={inbox.view === view ? 'page' : undefined} data-testid={`view-${view}`}
          >
            {text.requests.view[view]} <span>{count === null ? '' : format.number(count)}</span>
          </Link>
        )
      })}
      <ErrorNotice error={error} />
    </nav>
  )
}

function List({ inbox, onPoint }: { inbox: InboxFilter; onPoint: (id: CityRequest['id']) => void }) {
  const { text } = useLanguage()
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useRequests(inbox.filter)
  // What is above comes first: with the counts the views may be a line more, and push the list from under a finger.
  const keeping = useKept().isPending
  const counting = useRequestCounts(inbox.common).isPending || keeping
  const isPending = counting || (!data && !error)
  const filtered = inbox.view !== 'work' || Object.values(inbox.common).some(Boolean)
  const rows = counting ? [] : data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <ErrorNotice error={error} />
      {isPending && <Loading />}
      {!isPending && data && rows.length === 0 && (
        <Empty data-testid="no-requests" action={filtered && <Button component={Link} href="/requests" variant="light">{text.filters.clear}</Button>}>
          {filtered ? text.requests.none : text.requests.noneInWork}
        </Empty>
      )}
      {rows.length > 0 && (
        <ul className={style.rows} aria-label={text.requests.title}>
          {rows.map((request) => <RequestRow key={request.id} request={request} onPoint={() => onPoint(request.id)} />)}
        </ul>
      )}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} data-testid="more">
          {text.requests.more}
        </Button>
      )}
    </>
  )
}
