import { Button } from '@mantine/core'
import { Link } from 'wouter'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { LoadMore } from '../ui/load-more'
import { Loading } from '../ui/loading'
import { useTitle } from '../ui/use-title'
import { useRequests } from './queries'
import { RequestRow } from './request-row'
import rows from '../ui/rows.module.css'
import style from './requests.module.css'

/** What citizens were promised: an official sees the own promises; those that are late come first. */
export default function PromisesPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  useTitle(text.requests.promises)
  const query = useRequests({ promised: true })
  const found = query.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div>
      <Header me={me} page="promises">{null}</Header>
      <main className={rows.page}>
        <ErrorNotice error={query.error} />
        {query.isPending && <Loading />}
        {query.isSuccess && found.length === 0 && <Empty action={<Button component={Link} href="/requests" variant="light">{text.requests.back}</Button>}>{text.requests.noPromises}</Empty>}
        {found.length > 0 && (
          <ul className={style.rows} aria-label={text.requests.promises}>
            {found.map((request) => <RequestRow key={request.id} request={request} />)}
          </ul>
        )}
        <LoadMore query={query} />
      </main>
    </div>
  )
}
