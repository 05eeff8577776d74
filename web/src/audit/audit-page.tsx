import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { Link } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import { COMMAND_LINE, type Me } from '../api/types'
import { useLanguage } from '../language/language'
import { pagesOf } from '../pages'
import { usePeople } from '../people/queries'
import { ANY_DAYS, DayRange, momentsOf } from '../ui/day-range'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { LoadMore } from '../ui/load-more'
import { Loading } from '../ui/loading'
import { Latin } from '../ui/number'
import { useTitle } from '../ui/use-title'
import { type AuditEntry, auditExportUrl, useAudit, useAuditActions } from './queries'
import style from '../ui/rows.module.css'

const NOBODY = { who: '', action: '', kind: '', which: '' }

/** What the log calls a thing: `round 3`, or its kind alone. */
function subjectOf(kind: string, which: string): string {
  const name = LATIN.test(`${kind} `) ? which.trim() : latinDigits(which.trim())
  return `${kind} ${kind === 'number' ? name.replaceAll(' ', '').replace(/^0/, '+98') : name}`.trim()
}

/** Who did what to whom, when and why. */
export default function AuditPage({ me }: { me: Me }) {
  const { text, code } = useLanguage()
  const words = text.audit
  useTitle(words.title)
  const [wanted, setWanted] = useState(NOBODY)
  const [days, setDays] = useState(ANY_DAYS)
  const set = (part: Partial<typeof NOBODY>) => setWanted((before) => ({ ...before, ...part }))
  const [which] = useDebouncedValue(wanted.which, 250)
  const filter = {
    ...momentsOf(days), language: code, who: wanted.who || undefined, action: wanted.action || undefined,
    subject: wanted.kind ? subjectOf(wanted.kind, which) : undefined,
  }
  const query = useAudit(filter)
  const { data: people = [] } = usePeople()
  const { data: actions = [] } = useAuditActions(code)
  const found = query.data?.pages.flatMap(({ items }) => items) ?? []
  const clear = () => {
    setWanted(NOBODY)
    setDays(ANY_DAYS)
  }

  return (
    <div>
      <Header me={me} page="audit">
        <Button component="a" variant="default" href={auditExportUrl(filter)} download data-testid="export">{words.export}</Button>
      </Header>
      <main className={style.page}>
        <div className={style.bar} role="search">
          <NativeSelect
            label={words.who} value={wanted.who} data-testid="who" classNames={{ input: 'latin' }} onChange={(event) => set({ who: event.currentTarget.value })}
            data={[
              { value: '', label: words.anybody }, { value: COMMAND_LINE, label: words.commandLine },
              ...people.map(({ username, name }) => ({ value: username, label: `${name} (${username})` })),
            ]}
          />
          <NativeSelect
            label={words.action} value={wanted.action} data-testid="action" onChange={(event) => set({ action: event.currentTarget.value })}
            data={[{ value: '', label: words.anyAction }, ...actions.map(({ action, text: label }) => ({ value: action, label }))]}
          />
          <NativeSelect
            label={words.subject} value={wanted.kind} data-testid="kind" onChange={(event) => set({ kind: event.currentTarget.value, which: '' })}
            data={[{ value: '', label: words.anySubject }, ...Object.entries(words.subjects).map(([value, label]) => ({ value, label }))]}
          />
          {wanted.kind && (
            <TextInput
              label={words.which} value={wanted.which} maxLength={64} dir="ltr" data-testid="which" classNames={{ input: LATIN.test(`${wanted.kind} `) ? 'latin' : '' }}
              onChange={(event) => set({ which: event.currentTarget.value })}
            />
          )}
          <DayRange days={days} onChange={setDays} onClear={clear} />
        </div>
        <ErrorNotice error={query.error} />
        {query.isPending && <Loading />}
        {query.isSuccess && found.length === 0 && <Empty action={<Button variant="light" onClick={clear}>{text.filters.clear}</Button>}>{words.none}</Empty>}
        {found.length > 0 && (
          <ul className={style.rows}>
            {found.map((entry) => <Row key={entry.id} me={me} entry={entry} />)}
          </ul>
        )}
        <LoadMore query={query} />
        {query.isSuccess && found.length > 0 && !query.hasNextPage && <Empty>{words.end}</Empty>}
      </main>
    </div>
  )
}

/** The kinds of things whose names are written in Latin letters and digits. */
const LATIN = /^(person|address) /

function Row({ me, entry }: { me: Me; entry: AuditEntry }) {
  const { text, format } = useLanguage()
  const opens = entry.page && pagesOf(me).some(({ name }) => name === entry.page?.split(/[/?#]/)[0])
  const subject = LATIN.test(entry.subject) ? <Latin>{entry.subject_text}</Latin> : entry.subject_text
  return (
    <li
      className={style.row} style={{ gridTemplateColumns: '240px 140px 1fr 1fr 1.4fr' }} data-testid="entry" data-action={entry.action}
    >
      <time className={style.soft} dateTime={entry.at}>{format.longDate(entry.at)}{text.comma}{format.time(entry.at)}</time>
      <span>{entry.who === entry.who_text ? <Latin>{entry.who_text}</Latin> : <bdi>{entry.who_text}</bdi>}</span>
      <strong>{entry.action_text}</strong>
      <span>{opens ? <Link href={`/${entry.page ?? ''}`} className={style.leads} data-testid="about">{subject}</Link> : subject}</span>
      <span className={style.soft}>{entry.reason_text}</span>
    </li>
  )
}
