import { useEffect, useState } from 'react'
import { serverNow } from '../api/clock'
import { useRounds, useStage } from '../api/rounds'
import type { Callback, Desk, Me, Stage } from '../api/types'
import { History } from '../desk/history'
import { PhonePanel } from '../desk/phone-panel'
import { isOver, likelyRound } from '../desk/likely-round'
import { RoundSelect } from '../desk/round-select'
import { SaidPanel } from '../desk/said-panel'
import { VoiceMessage } from '../desk/voice-message'
import { useLanguage } from '../language/language'
import { Line } from '../line/line'
import { useDeskPhone } from '../phone/desk-phone'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Notice } from '../ui/notice'
import { useWarnOnLeave } from '../ui/warn-on-leave'
import { AssistActions } from './assist-actions'
import { OnStage } from './on-stage'
import { useAssist } from './use-assist'
import deskStyle from '../desk/desk.module.css'

/** The operator beside the official: who speaks, who is ready, who is called, who comes next; and speaking first. */
export default function AssistPage({ me }: { me: Me }) {
  return me.desk && <AtDesk me={me} desk={me.desk} />
}

function AtDesk({ me, desk }: { me: Me; desk: Desk }) {
  const { text } = useLanguage()
  const phone = useDeskPhone()
  const { data: all = [] } = useRounds()
  const [chosenId, setChosenId] = useState<number>()
  const rounds = all.filter((round) => !isOver(round))
  const round = rounds.find(({ id }) => id === chosenId) ?? likelyRound(rounds, serverNow())
  const { data: stage, error } = useStage(round?.id ?? null)
  useEffect(() => {
    document.title = `${text.assist.title} · ${text.brandNumber}`
  }, [text])

  return (
    <div className={deskStyle.page}>
      <Header me={me} page="assist">
        <RoundSelect rounds={rounds} chosen={round} onChoose={setChosenId} />
      </Header>
      <main className={deskStyle.columns}>
        <div className={deskStyle.work}>
          <PhonePanel desk={desk} phone={phone} />
          <ErrorNotice error={error} />
          {stage ? <Assist key={stage.round.id} desk={desk} stage={stage} /> : !round && <Notice tone="plain">{text.assist.noRound}</Notice>}
        </div>
        {round && <Line key={round.id} round={stage?.round ?? round} myDesk={desk.id} />}
      </main>
    </div>
  )
}

/** The citizens with whom the officials speak, or have just spoken. */
const spokenWith = ({ places }: Stage): Callback[] =>
  places.flatMap(({ callback }) => (callback && ['talking', 'held', 'parting', 'ended'].includes(callback.state) ? [callback] : []))

/** The citizen with whom I speak first: what they said and what is known of them. */
function WithMe({ callback }: { callback: Callback }) {
  return (
    <>
      <VoiceMessage registration={callback.registration} />
      <History callback={callback} />
    </>
  )
}

function Assist({ desk, stage }: { desk: Desk; stage: Stage }) {
  const { text } = useLanguage()
  const assist = useAssist(desk, stage)
  useWarnOnLeave(assist.withMe !== undefined)
  return (
    <>
      <AssistActions assist={assist} />
      <ErrorNotice error={assist.error} />
      {stage.round.paused_at && <Notice tone="warning">{text.stage.paused}</Notice>}
      {!desk.phone_connected && <Notice tone="plain">{text.assist.connectFirst}</Notice>}
      {assist.withMe && <WithMe callback={assist.withMe} />}
      <OnStage desk={desk} stage={stage} assist={assist} />
      {spokenWith(stage).map((callback) => <SaidPanel key={callback.id} callback={callback} />)}
    </>
  )
}
