import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { OutcomeDialog } from '../desks/dialogs'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { Num, RunningTime } from '../ui/number'
import { OnHold } from '../callbacks/on-hold'
import { Tag } from '../ui/tag'
import { talkOf } from '../callbacks/talk'
import { useBreakWord } from '../desks/use-desk-words'
import { DayDialog } from './day-dialog'
import { FreeDialog, WordDialog } from './dialogs'
import type { LiveDesk, LiveLine } from './queries'
import { TakePart } from './take-part'
import rows from '../ui/rows.module.css'
import style from './control.module.css'

interface Props {
  desks: LiveDesk[]
  lines: LiveLine[]
  me: Me
  now: number
}

type What = 'free' | 'word' | 'outcome' | 'day'
type Asked = { what: What; desk: LiveDesk } | null

const TONE = {
  away: 'quiet', break: 'warning', hears: 'apart', speaking: 'accent', held: 'warning', 'on-hold': 'warning', calling: 'apart', 'wrap-up': 'warning',
  paused: 'warning', waiting: 'good', free: 'good',
} as const

/** Each desk: who, what since when, with whom by the ticket number; and what a supervisor does about it. */
export function Desks({ desks, lines, me, now }: Props) {
  const { text } = useLanguage()
  const [asked, setAsked] = useState<Asked>(null)
  const close = () => setAsked(null)
  return (
    <section aria-labelledby="desks-title">
      <h2 id="desks-title" className={style.title}>{text.control.desksTitle}</h2>
      {desks.length === 0 && <NoDesks me={me} />}
      <ul className={rows.rows} hidden={desks.length === 0}>
        {desks.map((desk) => (
          <li key={desk.desk_id} className={`${rows.row} ${style.desk}`} data-testid="control-desk" data-id={desk.desk_id} data-at={desk.at}>
            <Who desk={desk} lines={lines} onAsk={() => setAsked({ what: 'day', desk })} />
            <Doing desk={desk} now={now} />
            {mayMove(me.role) && <Actions desk={desk} me={me} onAsk={(what) => setAsked({ what, desk })} />}
          </li>
        ))}
      </ul>
      {asked?.what === 'free' && asked.desk.callback_id !== null && (
        <FreeDialog callbackId={asked.desk.callback_id} ticket={asked.desk.ticket ?? ''} onClose={close} />
      )}
      {asked?.what === 'day' && asked.desk.person_id !== null && (
        <DayDialog personId={asked.desk.person_id} person={asked.desk.person} onClose={close} />
      )}
      {asked?.what === 'word' && <WordDialog desk={asked.desk} onClose={close} />}
      {asked?.what === 'outcome' && <OutcomeDialog desk={inHandOf(asked.desk)} onClose={close} />}
    </section>
  )
}

function NoDesks({ me }: { me: Me }) {
  const { text } = useLanguage()
  const may = me.role === 'administrator'
  return <Empty action={may && <Button component={Link} href="/people" variant="light">{text.people.title}</Button>}>{text.deskList.none}</Empty>
}

const inHandOf = ({ desk_id, callback_id, ticket, state, since, talking_at, owed }: LiveDesk) => ({
  id: desk_id,
  in_hand: callback_id !== null && state ? { callback_id, ticket: ticket ?? '', state, since: since ?? '', talking_at, owed } : null,
})

function Who({ desk, lines, onAsk }: { desk: LiveDesk; lines: LiveLine[]; onAsk: () => void }) {
  const { text, format, office } = useLanguage()
  const at = lines.find(({ line }) => line.round_id === desk.round_id)
  return (
    <span>
      <strong>{text.line.atDesk(format.number(desk.desk_id))}</strong>{' '}
      {desk.person_id !== null
        ? <Button size="compact-sm" variant="subtle" onClick={onAsk} data-testid="person-day-of" title={text.control.dayOf(desk.person)}>{desk.person}</Button>
        : <span className={rows.soft}>{text.deskList.nobody}</span>}
      {at && <span className={style.where}>{office(at.line)}</span>}
    </span>
  )
}

function Doing({ desk, now }: { desk: LiveDesk; now: number }) {
  const { text, format } = useLanguage()
  const breakWord = useBreakWord()
  const words = text.control
  const talk = talkOf(desk, now)
  return (
    <span className={rows.tags}>
      <Tag tone={TONE[desk.at]}>{desk.at === 'break' && desk.break_reason ? breakWord(desk.break_reason) : words.at[desk.at]}</Tag>
      {(talk ?? desk.since) && <RunningTime data-testid="desk-time">{format.duration(talk ? talk.lasted : now - Date.parse(desk.since ?? ''))}</RunningTime>}
      <OnHold talk={talk} />
      {desk.ticket && <span className={rows.soft}>{words.ticket} <Num>{format.ticket(desk.ticket)}</Num></span>}
      {!desk.phone_connected && desk.at !== 'away' && <Tag tone="quiet">{words.at.away}</Tag>}
      {desk.ears.map(({ how, name }) => <Tag key={`${how} ${name}`} tone="apart">{words.ear[how === 'consult' ? 'join' : how](name)}</Tag>)}
      {desk.message && (
        <span className={rows.soft} data-testid="last-word" data-read={desk.message.read_at !== null}>
          «<bdi>{desk.message.text}</bdi>» {desk.message.read_at ? words.readAt(format.time(desk.message.read_at)) : words.unread}
        </span>
      )}
    </span>
  )
}

/** With these a call is over, and what came of it is to be said. */
const OVER = ['ended', 'parting']

function Actions({ desk, me, onAsk }: { desk: LiveDesk; me: Me; onAsk: (what: What) => void }) {
  const { text, format } = useLanguage()
  const words = text.control
  const over = desk.state !== null && OVER.includes(desk.state)
  const name = text.line.atDesk(format.number(desk.desk_id))
  const mine = desk.desk_id === me.desk?.id
  return (
    <Group gap={6} justify="flex-end" className={style.actions}>
      {!mine && me.desk && (desk.at === 'speaking' || me.desk.hears_desk_id === desk.desk_id) && (
        <TakePart deskId={desk.desk_id} speaks={desk.at === 'speaking'} me={me} />
      )}
      {over && (
        <Button size="compact-sm" variant="default" onClick={() => onAsk('outcome')} data-testid="say-outcome" aria-label={`${text.deskList.sayOutcome}${text.comma}${name}`}>
          {text.deskList.sayOutcome}
        </Button>
      )}
      {!mine && (
        <Button size="compact-sm" variant="default" onClick={() => onAsk('word')} data-testid="send-word" aria-label={`${words.sendWord}${text.comma}${name}`}>
          {words.sendWord}
        </Button>
      )}
      {desk.callback_id !== null && !over && !mine && (
        <Button size="compact-sm" variant="default" c="brick" onClick={() => onAsk('free')} data-testid="free" aria-label={`${words.free}${text.comma}${name}`}>
          {words.free}
        </Button>
      )}
    </Group>
  )
}
