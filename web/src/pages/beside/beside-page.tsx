import { useEffect, useState } from 'react'
import type { Callback, Desk, Me, Stage } from '../../api/calls'
import { useLiveUpdates } from '../../api/live'
import { useRounds, useStage } from '../../api/queries'
import { useLanguage } from '../../language/language'
import { useRoomPhone } from '../../phone/use-room-phone'
import { Complaint } from '../../ui/complaint'
import { Header } from '../../ui/header'
import { Notice } from '../../ui/notice'
import { useStay } from '../../ui/use-stay'
import { History } from '../desk/history'
import { Line } from '../desk/line'
import { Message } from '../desk/message'
import { PhonePanel } from '../desk/phone-panel'
import { isOver, likelyRound, RoundSelect } from '../desk/round-select'
import { BesideActions } from './beside-actions'
import { OnStage } from './on-stage'
import { useBeside } from './use-beside'
import deskStyle from '../desk/desk.module.css'

/** The operator beside the official: who speaks, who is ready, who is called, who comes next; and speaking first. */
export default function BesidePage({ me }: { me: Me }) {
  return me.desk && <AtDesk me={me} desk={me.desk} />
}

function AtDesk({ me, desk }: { me: Me; desk: Desk }) {
  const { text } = useLanguage()
  useLiveUpdates(desk.id)
  const phone = useRoomPhone()
  const { data: all = [] } = useRounds()
  const [chosenId, setChosenId] = useState<number>()
  const rounds = all.filter((round) => !isOver(round))
  const round = rounds.find(({ id }) => id === chosenId) ?? likelyRound(rounds)
  const { data: stage, error } = useStage(round?.id ?? null)
  useEffect(() => {
    document.title = `${text.beside.title} · ${text.brandNumber}`
  }, [text])

  return (
    <div className={deskStyle.page}>
      <Header me={me} page="beside" onLeave={() => phone.disconnect()}>
        <RoundSelect rounds={rounds} chosen={round} onChoose={setChosenId} />
      </Header>
      <main className={deskStyle.columns}>
        <div className={deskStyle.work}>
          <PhonePanel desk={desk} phone={phone} />
          <Complaint error={error} />
          {stage ? <Beside key={stage.round.id} desk={desk} stage={stage} /> : !round && <Notice tone="plain">{text.beside.noRound}</Notice>}
        </div>
        {round && <Line key={round.id} round={stage?.round ?? round} myDesk={desk.id} />}
      </main>
    </div>
  )
}

/** The citizen with whom I speak first: what they said and what is known of them. */
function WithMe({ callback }: { callback: Callback }) {
  return (
    <>
      <Message registration={callback.registration} />
      <History callback={callback} />
    </>
  )
}

function Beside({ desk, stage }: { desk: Desk; stage: Stage }) {
  const { text } = useLanguage()
  const beside = useBeside(desk, stage)
  useStay(beside.withMe !== undefined)
  return (
    <>
      <BesideActions beside={beside} />
      <Complaint error={beside.error} />
      {stage.round.paused_at && <Notice tone="warning">{text.stage.paused}</Notice>}
      {!desk.phone_connected && <Notice tone="plain">{text.beside.connectFirst}</Notice>}
      {beside.withMe && <WithMe callback={beside.withMe} />}
      <OnStage desk={desk} stage={stage} beside={beside} />
    </>
  )
}
