import { Paper } from '@mantine/core'
import { Link } from 'wouter'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useCarries } from './queries'
import cards from '../ui/cards.module.css'

type Way = NonNullable<ReturnType<typeof useCarries>['data']>['came'][number]

/** Whence the carried ones came, and whither those went that were not reached. */
export function Carries({ id }: { id: number }) {
  const { text } = useLanguage()
  const words = text.carries
  const { data, error } = useCarries(id)
  const none = data && data.came.length + data.went.length === 0
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="carries-title" data-testid="carries">
      <h2 id="carries-title">{words.title}</h2>
      <ErrorNotice error={error} />
      {none && <p className={cards.more}>{words.none}</p>}
      {data && data.came.length > 0 && <Ways title={words.came} ways={data.came} />}
      {data && data.went.length > 0 && <Ways title={words.went} ways={data.went} />}
    </Paper>
  )
}

function Ways({ title, ways }: { title: string; ways: Way[] }) {
  const { text, format, office } = useLanguage()
  return (
    <div>
      <h3 className={cards.label}>{title}</h3>
      <ul className={cards.plain}>
        {ways.map(({ round, count }) => (
          <li key={round.id} className={cards.ends}>
            <Link href={`/rounds/${round.id}`}>{office(round.official)}{text.comma}{format.longDate(round.starts_at)}</Link>
            <span>{text.carries.people(format.number(count))}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
