import { useEffect, useState } from 'react'
import { serverNow } from '../api/clock'
import { useRounds, useStage } from '../api/rounds'
import type { Desk, Me, Round, Stage } from '../api/types'
import { AfterAll } from '../desk/after-all'
import { PhonePanel } from '../desk/phone-panel'
import { isOver, likelyRound } from '../desk/likely-round'
import { RoundSelect } from '../desk/round-select'
import { SaidPanel } from '../desk/said-panel'
import { useBegun } from '../desk/use-begun'
import { useLanguage } from '../language/language'
import { useDeskPhone } from '../phone/desk-phone'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Notice } from '../ui/notice'
import { NextPanel } from './next-panel'
import { NowPanel } from './now-panel'
import { Others } from './others'
import { OutcomeChoice } from './outcome-choice'
import { SitDown } from './sit-down'
import { StageActions } from './stage-actions'
import { useServing } from './use-serving'
import style from './official.module.css'

/** The page of an official who answers citizens one after the other: read across the room, used without looking. */
export default function OfficialPage({ me }: { me: Me }) {
  return me.desk && <AtDesk me={me} desk={me.desk} />
}

function AtDesk({ me, desk }: { me: Me; desk: Desk }) {
  const { text, office } = useLanguage()
  const phone = useDeskPhone()
  const { data: all = [] } = useRounds()
  const rounds = all.filter((round) => mayServe(me, round))
  const { data: stage, error } = useStage(desk.round_id)
  const [chosenId, setChosenId] = useState<number>()
  const round = rounds.find(({ id }) => id === chosenId) ?? likelyRound(rounds, serverNow())
  useEffect(() => {
    document.title = `${text.official.title} · ${text.brandNumber}`
  }, [text])

  return (
    <div className={style.page}>
      <Header me={me} page="official">
        {desk.round_id === null
          ? <RoundSelect rounds={rounds.filter((one) => !isOver(one))} chosen={round} onChoose={setChosenId} />
          : <strong className={style.office}>{stage ? office(stage.round.official) : '\u00a0'}</strong>}
      </Header>
      <main className={style.main}>
        <PhonePanel desk={desk} phone={phone} />
        <AfterAll me={me} />
        <ErrorNotice error={error} />
        {me.role === 'official' && me.official_id === null && <Notice tone="warning">{text.official.noOffice}</Notice>}
        {desk.round_id === null && <SitDown desk={desk} round={isOver(round) ? undefined : round} />}
        {desk.round_id !== null && stage && <Serving desk={desk} stage={stage} />}
      </main>
    </div>
  )
}

/** An official answers in the own rounds, as a substitute, and as a deputy beside. */
const mayServe = ({ role, official_id }: Me, { official, substitute, deputies }: Round) =>
  role !== 'official' || [official, substitute, ...deputies].some((one) => one !== null && one.id === official_id)

function Serving({ desk, stage }: { desk: Desk; stage: Stage }) {
  const { text } = useLanguage()
  const { round } = stage
  const serving = useServing(desk, stage, useBegun(round))
  return (
    <>
      <ErrorNotice error={serving.error} />
      {round.paused_at && serving.state !== 'paused' && !serving.over && <Notice tone="warning">{text.stage.paused}</Notice>}
      <div className={style.stage}>
        <NowPanel serving={serving} round={round} connected={desk.phone_connected} consultedBy={desk.hears_how === 'consult' ? desk.hears_desk_id : null} />
        <div className={style.beside}>
          <NextPanel stage={stage} />
          <Others stage={stage} myDesk={desk.id} />
          <SaidPanel callback={serving.callback} />
        </div>
      </div>
      {serving.say && <OutcomeChoice serving={serving} />}
      <StageActions serving={serving} round={round} />
    </>
  )
}
