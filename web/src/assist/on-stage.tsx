import { Button, Paper } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Callback, Desk, Stage } from '../api/types'
import { HeldLeft } from '../desk/held-left'
import { stateWord } from '../desk/state-word'
import { WrapUp } from '../desk/wrap-up'
import { useLanguage } from '../language/language'
import { Progress } from '../official/next-panel'
import { CallIcon } from '../callbacks/call-state'
import { callStateOf } from '../callbacks/call-states'
import { Empty } from '../ui/empty'
import { Num, RunningTime } from '../ui/number'
import { OnHold } from '../callbacks/on-hold'
import { talkOf } from '../callbacks/talk'
import { useBreakWord } from '../desks/use-desk-words'
import { useNow } from '../ui/use-now'
import { useSubject } from '../subjects/use-subject'
import type { Assist } from './use-assist'
import style from './assist.module.css'

interface Props {
  desk: Desk
  stage: Stage
  assist: Assist
}

/** The round at this moment: with whom the official speaks, who is ready, and who is being called. */
export function OnStage({ desk, stage, assist }: Props) {
  const { text } = useLanguage()
  const { places, ready, under_way } = stage
  const words = text.assist
  return (
    <>
      <Part name="serving" title={words.official} empty={words.noDesk} rows={places.map((place) => (
        <Row key={place.desk.id} callback={place.callback} testId="place" id={place.desk.id}>
          {place.callback && <Spoken callback={place.callback} />}
          {place.desk.wrap_up_since ? <WrapUp desk={place.desk} /> : !place.callback && <Idle desk={place.desk} />}
        </Row>
      ))} />
      <Part name="ready" title={words.ready} empty={words.nobodyReady} rows={ready.map((callback) => (
        <Row key={callback.id} callback={callback} testId="ready" id={callback.id}>
          <Waits callback={callback} desk={desk} />
          {callback.state === 'waiting' && (
            <Button
              size="compact-sm" variant="light" disabled={!assist.speakFirst(callback)} onClick={assist.speakFirst(callback)}
              data-testid="screen-this"
            >
              {words.screen}
            </Button>
          )}
        </Row>
      ))} />
      <Part name="under-way" title={words.underWay} empty={words.nobodyUnderWay} rows={under_way.map((callback) => (
        <Row key={callback.id} callback={callback} testId="called" id={callback.id}><Progress callback={callback} /></Row>
      ))} />
    </>
  )
}

interface PartProps {
  name: string
  title: string
  empty: string
  rows: ReactNode[]
}

function Part({ name, title, empty, rows }: PartProps) {
  return (
    <Paper withBorder component="section" className={style.part} aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      {rows.length > 0 ? <ul>{rows}</ul> : <Empty>{empty}</Empty>}
    </Paper>
  )
}

interface RowProps {
  callback: Callback | null
  id: number
  testId: string
  children: ReactNode
}

function Row({ callback, id, testId, children }: RowProps) {
  const { text, format } = useLanguage()
  const subject = useSubject()
  const call = callback ? callStateOf(callback) : undefined
  return (
    <li className={style.row} data-testid={testId} data-id={id} data-state={callback?.state ?? 'none'} data-call={call}>
      {callback
        ? (
          <>
            <strong>{subject(callback.registration.subject)}</strong>
            <Num>{format.ticket(callback.registration.ticket)}</Num>
            <Num>{format.phone(callback.registration.number)}</Num>
          </>
        )
        : <strong>{text.line.atDesk(format.number(id))}</strong>}
      <span className={style.state} data-call={call}>{call && <CallIcon state={call} />}{children}</span>
    </li>
  )
}

/** With whom the official speaks, and since when. */
function Spoken({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const { state, finishing_at } = callback
  const speaks = state === 'talking' || state === 'held'
  const now = useNow(speaks)
  const talk = speaks ? talkOf(callback, now) : null
  const word = state === 'talking' && finishing_at ? text.official.state.finishing : stateWord(text, callback)
  return (
    <>
      {word}
      <HeldLeft callback={callback} />
      {talk && <RunningTime>{format.duration(talk.lasted)}</RunningTime>}
      <OnHold talk={talk} />
    </>
  )
}

/** A desk with nobody: why. */
function Idle({ desk: { next_asked_at, break_reason, break_since } }: { desk: Desk }) {
  const { text, format } = useLanguage()
  const breakWord = useBreakWord()
  const now = useNow(break_since !== null)
  if (!break_reason || !break_since) return next_asked_at ? text.assist.asked : text.assist.free
  return <>{breakWord(break_reason)} <RunningTime>{format.duration(now - Date.parse(break_since))}</RunningTime></>
}

function Waits({ callback, desk }: { callback: Callback; desk: Desk }) {
  const { text } = useLanguage()
  if (callback.state !== 'screening') return <Progress callback={callback} />
  return callback.screen_desk_id === desk.id ? text.assist.withMe : text.assist.withAnother
}
