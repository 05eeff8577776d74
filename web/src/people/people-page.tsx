import { Button, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import { serverNow } from '../api/clock'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Latin } from '../ui/number'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { useUndo } from '../ui/use-undo'
import { type Action, ActionDialog, Actions } from './actions'
import { PersonForm } from './person-form'
import { type Person, type Secret, usePeople } from './queries'
import { SecretDialog } from './secret-dialog'
import style from '../ui/rows.module.css'

type Asked = { action: Action; person: Person } | { form: Person | null } | null

/** Everybody who signs in; `?person=` leads to one of them. */
export default function PeoplePage({ me }: { me: Me }) {
  const { text } = useLanguage()
  useTitle(text.people.title)
  const person = useSearchParams()[0].get('person') ?? ''
  return <People key={person} me={me} person={person} />
}

/** What they may do, at which desk, for which official. */
function People({ me, person }: { me: Me; person: string }) {
  const { text } = useLanguage()
  const { data: people = [], isPending, error } = usePeople()
  const [wanted, setWanted] = useState(person)
  const [asked, setAsked] = useState<Asked>(null)
  const [secret, setSecret] = useState<Secret | null>(null)
  const { offer, undo } = useUndo()
  const keeps = me.role === 'administrator'
  const found = people
    .filter((one) => matches(one, wanted))
    .toSorted((one, other) => Number(other.username === wanted) - Number(one.username === wanted))
  const close = () => setAsked(null)
  const show = (made: Secret) => {
    close()
    setSecret(made)
  }

  return (
    <div>
      {undo}
      <Header me={me} page="people">
        {keeps && <Button onClick={() => setAsked({ form: null })} data-testid="add-person">{text.people.add}</Button>}
      </Header>
      <main className={style.page}>
        <TextInput
          aria-label={text.people.search} placeholder={text.people.search} value={wanted} data-testid="search" maxLength={100}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <ErrorNotice error={error} />
        {isPending && <Loading />}
        {!isPending && found.length === 0 && <Empty action={<Button variant="light" onClick={() => setWanted('')}>{text.filters.clear}</Button>}>{text.people.none}</Empty>}
        {found.length > 0 && (
          <ul className={style.rows}>
            {found.map((person) => (
              <Row key={person.id} person={person}>
                {keeps && (
                  <Actions person={person} onChange={() => setAsked({ form: person })} onAction={(action) => setAsked({ action, person })} />
                )}
              </Row>
            ))}
          </ul>
        )}
      </main>
      {asked && 'form' in asked && <PersonForm person={asked.form} people={people} onMade={show} onClose={close} />}
      {asked && 'action' in asked && <ActionDialog action={asked.action} person={asked.person} offer={offer} onSecret={show} onClose={close} />}
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  )
}

function Row({ person, children }: { person: Person; children: ReactNode }) {
  const language = useLanguage()
  const { text, format, office } = language
  const words = text.people
  const { disabled_at, locked_until, sessions } = person
  return (
    <li
      className={style.row} style={{ gridTemplateColumns: '1.3fr 1.3fr 0.7fr 1.6fr auto' }} data-testid="person" data-username={person.username}
      data-quiet={disabled_at !== null}
    >
      <span>
        <strong>{person.name}</strong> <span className={style.soft}><Latin>{person.username}</Latin></span>
      </span>
      <span>{words.roles[person.role]}{person.official && <span className={style.soft}>{text.comma}{office(person.official)}</span>}
        {person.department && <span className={style.soft}>{text.comma}{language.name(person.department)}{person.heads_department && `${text.comma}${words.isHead}`}</span>}</span>
      <span className={style.soft}>{person.desk_id === null ? words.noDesk : text.line.atDesk(format.number(person.desk_id))}</span>
      <span className={style.tags}>
        {disabled_at
          ? <Tag tone="warning">{words.disabledSince(format.moment(disabled_at))}</Tag>
          : <Tag tone={sessions > 0 ? 'good' : 'quiet'}>{sessions > 0 ? words.signedIn(format.number(sessions)) : words.signedOut}</Tag>}
        {locked_until && !disabled_at && Date.parse(locked_until) > serverNow() && <Tag tone="warning">{words.locked}</Tag>}
        {person.from_directory && <Tag tone="quiet">{words.fromDirectory}</Tag>}
        {person.has_pin && <Tag tone="quiet">{words.pin}</Tag>}
        {person.has_second_factor && <Tag tone="quiet">{words.secondFactor}</Tag>}
      </span>
      {children}
    </li>
  )
}

/** By a part of the name or the user name, or by the number of the desk. */
function matches(person: Person, wanted: string): boolean {
  const word = latinDigits(wanted.trim()).toLocaleLowerCase()
  const texts = [person.name, person.username]
  return word === String(person.desk_id) || texts.some((one) => latinDigits(one).toLocaleLowerCase().includes(word))
}
