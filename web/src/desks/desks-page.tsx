import { Button, Switch } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { CallTag } from '../callbacks/call-state'
import { callStateOf } from '../callbacks/call-states'
import { Num } from '../ui/number'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { AccountDialog, OutcomeDialog, PhoneDialog } from './dialogs'
import { type DeskPlace, useDesks } from './queries'
import style from '../ui/rows.module.css'

type Asked = { what: 'phone' | 'account' | 'outcome'; desk: DeskPlace } | null

/** Whether anybody has it, or anything is set about it. */
const inUse = ({ person_id, phone, phone_connected, round_id, in_hand }: DeskPlace) =>
  person_id !== null || phone !== 'browser' || phone_connected || round_id !== null || in_hand !== null

/** Whom nobody can speak with any more until somebody says what became of them. */
const isOwed = ({ in_hand }: DeskPlace) => in_hand?.state === 'ended' || in_hand?.state === 'claimed'

/** The desks: whose each is, its phone, what it serves and whom it has. */
export default function DesksPage({ me }: { me: Me }) {
  const { text, format } = useLanguage()
  useTitle(text.deskList.title)
  const { data: desks = [], isPending, error } = useDesks()
  const [all, setAll] = useState(false)
  const [asked, setAsked] = useState<Asked>(null)
  const shown = desks.filter((desk) => all || inUse(desk))
  const words = text.deskList
  const close = () => setAsked(null)

  return (
    <div>
      <Header me={me} page="desks">
        <Switch label={words.all} checked={all} data-testid="all-desks" onChange={(event) => setAll(event.currentTarget.checked)} />
      </Header>
      <main className={style.page}>
        <ErrorNotice error={error} />
        {isPending && <Loading />}
        {!isPending && shown.length === 0 && <Empty action={<Button variant="light" onClick={() => setAll(true)}>{words.all}</Button>}>{words.none}</Empty>}
        {shown.length > 0 && (
          <ul className={style.rows}>
            {shown.map((desk) => (
              <Row key={desk.id} desk={desk}>
                <span className={style.actions} role="group" aria-label={text.line.atDesk(format.number(desk.id))}>
                  {mayMove(me.role) && isOwed(desk) && (
                    <Button size="compact-sm" color="amber" onClick={() => setAsked({ what: 'outcome', desk })} data-testid="say-outcome">
                      {words.sayOutcome}
                    </Button>
                  )}
                  {me.role === 'administrator' && (
                    <>
                      <Button size="compact-sm" variant="light" onClick={() => setAsked({ what: 'phone', desk })} data-testid="change-phone">
                        {words.changePhone}
                      </Button>
                      <Button size="compact-sm" variant="default" onClick={() => setAsked({ what: 'account', desk })} data-testid="account">
                        {words.account}
                      </Button>
                    </>
                  )}
                </span>
              </Row>
            ))}
          </ul>
        )}
      </main>
      {asked?.what === 'phone' && <PhoneDialog desk={asked.desk} onClose={close} />}
      {asked?.what === 'account' && <AccountDialog desk={asked.desk} onClose={close} />}
      {asked?.what === 'outcome' && <OutcomeDialog desk={asked.desk} onClose={close} />}
    </div>
  )
}

function Row({ desk, children }: { desk: DeskPlace; children: ReactNode }) {
  const { text, format, office } = useLanguage()
  const words = text.deskList
  const { in_hand, serves } = desk
  return (
    <li
      className={style.row} style={{ gridTemplateColumns: '80px 1fr 1.5fr 1.4fr 330px' }} data-testid="desk-place" data-id={desk.id}
      data-quiet={!inUse(desk)}
    >
      <strong>{text.line.atDesk(format.number(desk.id))}</strong>
      <span className={desk.person ? undefined : style.soft}>{desk.person ?? words.nobody}</span>
      <span className={style.tags}>
        <span>{words.phone[desk.phone]}</span>
        {desk.number && <Num>{format.phone(desk.number)}</Num>}
        <Tag tone={desk.phone_connected ? 'good' : 'quiet'}>{desk.phone_connected ? words.connected : words.away}</Tag>
      </span>
      <span className={style.tags}>
        {serves && <span className={style.soft}>{words.serves(office(serves))}</span>}
        {in_hand && <CallTag state={callStateOf(in_hand)}>{words.inHand(format.ticket(in_hand.ticket), text.callback[in_hand.state])}</CallTag>}
        {in_hand?.owed && <Tag tone="quiet">{words.owed(format.time(in_hand.since))}</Tag>}
      </span>
      {children}
    </li>
  )
}
