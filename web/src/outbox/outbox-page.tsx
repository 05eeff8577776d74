import { Button, NativeSelect, Switch } from '@mantine/core'
import { useState } from 'react'
import { mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { LoadMore } from '../ui/load-more'
import { Loading } from '../ui/loading'
import { Latin } from '../ui/number'
import { useTitle } from '../ui/use-title'
import { Fate } from './fate'
import { ALL, useFilter } from './filter'
import { type Message, useOutbox, useProviders, useSendAgain } from './queries'
import style from '../ui/rows.module.css'

/** Where the provider's own code tells a technician more than our words. */
const SAYS_MORE = new Set(['number', 'account', 'line', 'template', 'refused', 'down', 'no_answer', 'ours'])

/** What went out to citizens and webhooks, when, why not, and once more. */
export default function OutboxPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.outbox
  useTitle(words.title)
  const { wanted, filter, set } = useFilter()
  const query = useOutbox(filter)
  const [sent, setSent] = useState<number[]>([])
  const again = useSendAgain()
  const sendAgain = (id: number) => again.mutate(id, { onSuccess: () => setSent((before) => [id, ...before.filter((one) => one !== id)]) })
  const found = query.data?.pages.flat() ?? []
  const choice = (of: Record<string, string>, every: string) =>
    [{ value: '', label: every }, ...Object.entries(of).map(([value, label]) => ({ value, label }))]
  return (
    <div>
      <Header me={me} page="outbox"><span /></Header>
      <main className={style.page}>
        <Accounts />
        <div className={style.bar} role="search">
          <NativeSelect
            label={words.state} value={wanted.state} data-testid="state" data={choice(text.citizens.delivery, words.anyState)}
            onChange={(event) => set({ state: event.currentTarget.value })}
          />
          <NativeSelect
            label={words.kind} value={wanted.kind} data-testid="kind" data={choice(text.citizens.messages, words.anyKind)}
            onChange={(event) => set({ kind: event.currentTarget.value })}
          />
          <Switch label={words.lost} checked={wanted.lost} data-testid="lost" onChange={(event) => set({ lost: event.currentTarget.checked })} />
        </div>
        <ErrorNotice error={query.error ?? again.error} />
        {sent.map((id) => <Fate key={id} id={id} />)}
        {query.isPending && <Loading />}
        {query.isSuccess && found.length === 0 && <Empty action={<Button variant="light" onClick={() => set(ALL)}>{text.filters.clear}</Button>}>{words.none}</Empty>}
        {found.length > 0 && (
          <ul className={style.rows}>
            {found.map((message) => (
              <Row
                key={message.id} message={message} busy={again.isPending && again.variables === message.id}
                onAgain={mayPlan(me.role) && message.may_retry ? () => sendAgain(message.id) : undefined}
              />
            ))}
          </ul>
        )}
        <LoadMore query={query} />
      </main>
    </div>
  )
}

/** What is left in the accounts of the providers. */
function Accounts() {
  const { text, format } = useLanguage()
  const words = text.outbox
  const { data = [] } = useProviders()
  if (data.length === 0) return null
  return (
    <ul className={style.rows} data-testid="providers">
      {data.map(({ provider, credit, low, asked_at, error }) => (
        <li key={provider} className={style.row} style={{ gridTemplateColumns: '140px 1fr 1fr' }}>
          <strong><Latin>{provider}</Latin></strong>
          <span>
            {credit === null ? words.creditUnknown : words.credit(format.number(Math.floor(credit)))}
            {low && `${text.comma}${words.creditLow}`}
          </span>
          <span className={style.soft}>{error ? <>{words.notLetIn} <Latin>{error}</Latin></> : format.aged(asked_at)}</span>
        </li>
      ))}
    </ul>
  )
}

function Row({ message, busy, onAgain }: { message: Message; busy: boolean; onAgain: (() => void) | undefined }) {
  const { text, format } = useLanguage()
  const words = text.outbox
  const { kind, state, to, made_at, sent_at, not_before, provider, parts, attempts, error, why, arrival, arrival_at } = message
  const kindOf = message.trial ? words.trial : text.citizens.messages[kind]
  const become = state === 'sent' && arrival ? words.arrival[arrival] : text.citizens.delivery[state]
  const facts = [
    sent_at && state === 'sent' && words.sentAt(format.moment(sent_at)),
    arrival_at && state === 'sent' && words.saidAt(format.moment(arrival_at)),
    state === 'pending' && attempts > 0 && words.next(format.moment(not_before), format.number(attempts)),
    parts && words.parts(format.number(parts)),
  ].filter(Boolean)
  return (
    <li className={style.row} style={{ gridTemplateColumns: '150px 150px 1fr 1.8fr 120px' }} data-testid="message" data-id={message.id} data-state={state} data-arrival={arrival ?? ''}>
      <time className={style.soft} dateTime={made_at}>{format.aged(made_at)}</time>
      <span><Latin>{to}</Latin></span>
      <span>{kindOf}</span>
      <span>
        <strong>{become}</strong>
        {why && <>{text.comma}{words.why[why]}</>}
        {why && error && SAYS_MORE.has(why) && <> <Latin>{`(${error})`}</Latin></>}
        <br />
        <span className={style.soft}>{facts.join(text.comma)}{provider && <> <Latin>{provider}</Latin></>}</span>
      </span>
      {onAgain ? (
        <Button size="compact-sm" variant="default" loading={busy} onClick={onAgain} aria-label={words.againOf(kindOf)} data-testid="again">{words.again}</Button>
      ) : <span />}
    </li>
  )
}
