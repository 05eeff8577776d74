import { Paper } from '@mantine/core'
import { useEffect, useState } from 'react'
import { serverNow } from '../api/clock'
import { useRounds } from '../api/rounds'
import type { Me, Round } from '../api/types'
import type { Text } from '../language/fa'
import { useLanguage } from '../language/language'
import { FoldedLine } from '../line/folded-line'
import { useDeskPhone } from '../phone/desk-phone'
import { useNoRound } from './use-no-round'
import { useWithPhone } from '../phone/use-with-phone'
import { Header } from '../head/header'
import { Notice } from '../ui/notice'
import { Actions } from './actions'
import { AfterAll } from './after-all'
import { AgreedCalls } from './agreed-calls'
import { CallbackPanel } from './callback-panel'
import { KeptNotes } from './kept-notes'
import { LiveSwitch } from './live-switch'
import { PhonePanel } from './phone-panel'
import { isOver, likelyRound } from './likely-round'
import { RoundSelect } from './round-select'
import { useBegun } from './use-begun'
import { useDesk } from './use-desk'
import callbackStyle from './callback.module.css'
import style from './desk.module.css'

export default function DeskPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const myDesk = me.desk?.id ?? null
  const phone = useDeskPhone()
  const { data: rounds = [] } = useRounds()
  const [chosenId, setChosenId] = useState<number | null>(null)
  const wanted = chosenId ?? me.callback?.round_id
  const round = rounds.find(({ id }) => id === wanted) ?? likelyRound(rounds, serverNow())

  // Its line is asked for at once next time (public/assets/scheme.js).
  const shown = round?.id
  useEffect(() => {
    if (shown) localStorage.setItem('hotline137.round', String(shown))
  }, [shown])

  const desk = useDesk(me, round?.id ?? null)
  const call = useWithPhone(me.desk, desk.call, desk.callback?.id)
  const begun = useBegun(round)
  const consultedBy = me.consulted_in?.desk_id ?? null
  const paused = begun && !isOver(round) && round?.paused_at != null
  const canTake = me.desk !== null && begun && !isOver(round) && !paused
  const takeNext = useWithPhone(me.desk, canTake ? desk.takeNext : undefined, `${round?.id} ${desk.callback?.id}`)

  return (
    <div className={style.page}>
      <Header me={me} page="desk">
        <RoundSelect rounds={rounds} chosen={round} onChoose={setChosenId} />
      </Header>
      <main className={style.columns}>
        <div className={style.work}>
          {me.desk ? <PhonePanel desk={me.desk} phone={phone} /> : <Notice tone="warning">{text.desk.none}</Notice>}
          {me.desk && <LiveSwitch me={me} round={round} />}
          <AfterAll me={me} />
          <Actions desk={desk} call={call} takeNext={takeNext} consulted={consultedBy !== null}>
            {desk.callback && paused && <Notice tone="warning" data-testid="round-paused">{text.stage.paused}</Notice>}
            {desk.callback && desk.nobody && <Notice tone="plain">{nobodyText(text, round)}</Notice>}
          </Actions>
          {desk.callback
            ? <CallbackPanel key={desk.callback.id} callback={desk.callback} desk={desk} />
            : consultedBy === null
              ? <Idle round={round} begun={begun} paused={paused} nobody={desk.nobody} connected={me.desk?.phone_connected ?? false} />
              : <Consulted desk={consultedBy} />}
          {myDesk !== null && <KeptNotes deskId={myDesk} except={desk.callback?.id ?? null} />}
        </div>
        {round && <FoldedLine key={round.id} round={round} myDesk={myDesk} />}
      </main>
    </div>
  )
}

interface IdleProps {
  round: Round | undefined
  begun: boolean
  paused: boolean
  nobody: boolean
  connected: boolean
}

function Idle({ round, begun, paused, nobody, connected }: IdleProps) {
  const { text, format } = useLanguage()
  const none = useNoRound()
  useEffect(() => {
    document.title = `${text.desk.title} · ${text.brandNumber}`
  }, [text])

  let sentence = ''
  if (!round) sentence = none
  else if (round.phase === 'cancelled') sentence = text.round.cancelled(round.reason)
  else if (round.phase === 'over') sentence = text.round.over
  else if (!begun) sentence = text.round.startsAt(format.moment(round.starts_at))
  else if (nobody || round.counts.waiting === 0) sentence = nobodyText(text, round)
  else sentence = text.line.waiting(format.number(round.counts.waiting))
  return (
    <Paper className={callbackStyle.idle} withBorder role="status" data-testid="callback-state" data-state="none">
      <h2>{paused ? text.official.state.paused : connected ? text.desk.ready : text.desk.readyWithoutPhone}</h2>
      <p>{sentence}</p>
      <AgreedCalls />
    </Paper>
  )
}

/** No citizen of its own, but not free: a colleague speaks with it about theirs. */
function Consulted({ desk }: { desk: number }) {
  const { text, format } = useLanguage()
  const title = text.transfer.speaksWith(format.number(desk))
  useEffect(() => {
    document.title = `${title} · ${text.brandNumber}`
  }, [title, text])
  return (
    <Paper className={callbackStyle.idle} withBorder role="status" data-testid="callback-state" data-state="none">
      <h2>{title}</h2>
      <p>{text.transfer.speaksHelp}</p>
    </Paper>
  )
}

const nobodyText = (text: Text, round: Round | undefined) =>
  round?.counts.waiting ? text.desk.nobodyIsDue : text.desk.nobodyWaits
