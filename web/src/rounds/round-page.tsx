import { Anchor, Button, Group, Paper } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import { Link } from 'wouter'
import { useOfficials } from '../api/city'
import { mayConduct, mayHear, mayMove, mayOversee, mayPlan } from '../api/permissions'
import { endRound, useRound } from '../api/rounds'
import type { Me, Registration, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { Line } from '../line/line'
import { MoveUpDialog } from '../line/move-up'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { ReasonDialog } from '../ui/reason-dialog'
import { Whole } from '../ui/whole'
import { Carries } from './carries'
import { Desks } from './desks'
import { NoticeState, Who } from './facts'
import { History } from './history'
import { NoticeText } from './notice-text'
import { cancelRound } from './queries'
import { Recordings } from './recordings'
import { Report } from './report'
import { RoundForm } from './round-form'
import cards from '../ui/cards.module.css'
import style from './rounds.module.css'

type Asked = 'change' | 'cancel' | 'end' | Registration | null

/** One round: what was agreed, its line and its report, and what may be done with it. */
export default function RoundPage({ me, id }: { me: Me; id: number }) {
  const { text, format, office } = useLanguage()
  const { data: round, error } = useRound(id)
  const [asked, setAsked] = useState<Asked>(null)
  const name = round ? office(round.official) : ''
  useEffect(() => {
    document.title = `${name} · ${text.brandNumber}`
  }, [name, text])
  const action = useCallback(
    (row: Registration) => row.why !== 'moved-up' && (
      <Button
        size="compact-xs" variant="subtle" ms="auto" onClick={() => setAsked(row)} data-testid="move-up"
        aria-label={text.rounds.moveUpTitle(format.ticket(row.ticket))}
      >
        {text.rounds.moveUp}
      </Button>
    ),
    [text, format],
  )

  return (
    <div>
      <Header me={me} page="rounds">
        <Anchor component={Link} href="/rounds">{text.rounds.back}</Anchor>
      </Header>
      <main className={style.round}>
        <ErrorNotice error={error} />
        {!round && !error && <Loading />}
        {round && (
          <>
            <div className={style.side}>
              <Agreed round={round} me={me} onAsk={setAsked} />
              <Whole key={id} className={style.side}>
                {round.phase === 'live' && <Desks id={id} me={me} />}
                {round.notice !== 'never' && <NoticeText id={id} />}
                <Report round={round} />
                <Carries id={id} />
                {!round.is_operators_line && mayOversee(me.role) && <History id={id} />}
                {round.recorded && mayHear(me.role) && <Recordings id={id} />}
              </Whole>
            </div>
            <Line round={round} myDesk={me.desk?.id ?? null} action={mayMove(me.role) ? action : undefined} />
            <Dialog round={round} asked={asked} onClose={() => setAsked(null)} />
          </>
        )}
      </main>
    </div>
  )
}

function Agreed({ round, me, onAsk }: { round: Round; me: Me; onAsk: (asked: Asked) => void }) {
  const { text, format, office, hours } = useLanguage()
  const words = text.rounds
  const done = round.phase === 'over' || round.phase === 'cancelled' || round.is_operators_line
  const range = (from: string, until: string) => words.range(format.moment(from), format.moment(until))
  const facts: Fact[] = [
    [words.conversations, `${format.longDate(round.starts_at)}${text.comma}${hours(round)}`],
    [words.registration, range(round.registration_from, round.registration_until)],
    [words.capacity, round.capacity === null ? words.noLimit : words.capacityOf(format.number(round.capacity))],
    [words.minutes, words.minutesOf(format.number(round.minutes))],
    [words.languages, round.languages.map((code) => words.language[code as keyof typeof words.language]).join(text.comma)],
    [words.recording, round.recorded ? words.isRecorded : words.notRecorded],
    [words.notice, <NoticeState key="notice" round={round} />],
  ]
  if (round.reason && round.phase !== 'cancelled') facts.push([text.dialog.reason, round.reason])
  return (
    <Paper withBorder component="section" className={cards.card}>
      <h2>{office(round.official)}</h2>
      <p className={style.phase} data-testid="phase" data-phase={round.phase}>
        {round.phase === 'cancelled' ? text.round.cancelled(round.reason) : text.phase[round.phase]}
      </p>
      <p className={cards.more}><Who round={round} /></p>
      <Facts facts={facts} inLines />
      <Group>
        {mayPlan(me.role) && !done && (
          <Button variant="default" onClick={() => onAsk('change')} data-testid="change-round">{words.change}</Button>
        )}
        {mayConduct(me.role) && round.phase === 'live' && (
          <Button variant="light" color="brick" onClick={() => onAsk('end')} data-testid="end-round">{words.end}</Button>
        )}
        {mayPlan(me.role) && !done && (
          <Button variant="light" color="brick" onClick={() => onAsk('cancel')} data-testid="cancel-round">{words.cancel}</Button>
        )}
      </Group>
    </Paper>
  )
}

function Dialog({ round, asked, onClose }: { round: Round; asked: Asked; onClose: () => void }) {
  const { text, format } = useLanguage()
  const { data: officials = [] } = useOfficials()
  const words = text.rounds
  const { waiting } = round.counts
  if (asked === null) return null
  if (asked === 'change') return <RoundForm round={round} officials={officials} onClose={onClose} />
  if (asked === 'cancel') {
    return (
      <ReasonDialog
        title={words.cancelTitle} help={round.phase === 'live' ? `${words.cancelHelp} ${words.cancelLiveHelp}` : words.cancelHelp}
        action={waiting > 0 ? words.cancelWith(format.number(waiting)) : words.cancel} color="brick" about={words.reasonPublic}
        act={(reason) => cancelRound(round.id, reason)} onClose={onClose}
      >
        <div role="status">
          <Notice tone={waiting > 0 ? 'warning' : 'plain'} data-testid="cost">
            {waiting > 0 ? words.cancelCosts(format.number(waiting)) : words.cancelCostsNone}
          </Notice>
        </div>
      </ReasonDialog>
    )
  }
  if (asked === 'end') {
    return (
      <ReasonDialog
        title={words.endTitle} help={words.endHelp} action={words.end} needed={false}
        act={(reason) => endRound(round.id, reason)} onClose={onClose}
      />
    )
  }
  return <MoveUpDialog registration={asked} onClose={onClose} />
}
