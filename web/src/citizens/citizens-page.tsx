import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { Link } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Num } from '../ui/number'
import { useCategory } from '../requests/use-category'
import { useTitle } from '../ui/use-title'
import { useSearch } from './queries'
import { groupsOf } from './results'
import rows from '../ui/rows.module.css'
import style from './citizens.module.css'

const WHILE_TYPING = 200

/** Where a citizen is looked for: by a ticket, a tracking number, or their telephone. */
export default function CitizensPage({ me }: { me: Me }) {
  const language = useLanguage()
  const { text } = language
  const words = text.citizens
  const category = useCategory()
  useTitle(words.title)
  const [typed, setTyped] = useState('')
  const [wanted] = useDebouncedValue(latinDigits(typed.trim()), WHILE_TYPING)
  const { data, error, isSuccess } = useSearch(wanted)
  const found = groupsOf(me, typed, wanted ? data : undefined, language, category).filter(({ name }) => name === 'registrations' || name === 'requests')
  return (
    <div>
      <Header me={me} page="citizens">{null}</Header>
      <main className={rows.page}>
        <TextInput
          label={words.typed} description={words.typedHelp} value={typed} maxLength={80} inputMode="tel" size="md" role="searchbox"
          className={style.typed} data-testid="citizen-typed" onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <ErrorNotice error={error} />
        {isSuccess && wanted && found.length === 0 && <Empty data-testid="nobody" action={<Button variant="light" onClick={() => setTyped('')}>{text.filters.clear}</Button>}>{words.none}</Empty>}
        {found.map(({ name, results }) => (
          <section key={name}>
            <h2 className={style.heading}>{text.search.groups[name]}</h2>
            <ul className={rows.rows}>
              {results.map(({ key, label, about, to }) => (
                <li key={key} className={style.found} data-testid={`found-${name}`}>
                  <Link href={to}><Num>{label}</Num></Link>
                  <span>{about}</span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </main>
    </div>
  )
}
