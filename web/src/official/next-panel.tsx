import { Paper } from '@mantine/core'
import type { Callback, Round, Stage } from '../api/types'
import { isOver } from '../desk/likely-round'
import { OnTheLine } from '../desk/on-the-line'
import { VoiceMessage } from '../desk/voice-message'
import { useLanguage } from '../language/language'
import { CallIcon } from '../callbacks/call-state'
import { callStateOf } from '../callbacks/call-states'
import { Num } from '../ui/number'
import { useNow } from '../ui/use-now'
import { useSubject } from '../subjects/use-subject'
import style from './official.module.css'

/** Everybody whose turn has not come: in the line, being called, or ready. */
export const remaining = ({ round, ready, under_way }: Stage) => round.counts.waiting + ready.length + under_way.length

/** Who is next, with what they have said, and how many remain. */
export function NextPanel({ stage }: { stage: Stage }) {
  const { text, format } = useLanguage()
  const subject = useSubject()
  const { ready, under_way, round } = stage
  const over = isOver(round)
  const next = over ? undefined : ready.find(({ state }) => state === 'waiting') ?? ready[0] ?? under_way[0]
  return (
    <Paper withBorder className={style.next} component="section" aria-labelledby="up-next">
      <h2 id="up-next">{text.stage.upNext}</h2>
      {next
        ? (
          <div data-testid="up-next" data-state={next.state}>
            <p className={style.nextSubject}>{subject(next.registration.subject)}</p>
            <p className={style.nextState} data-call={callStateOf(next)} data-state={next.state}><CallIcon state={callStateOf(next)} /> <Progress callback={next} /><OnTheLine callback={next} /></p>
            <VoiceMessage key={next.registration.id} registration={next.registration} next />
          </div>
        )
        : <p className={style.help} data-testid="up-next" data-state="none">{over ? text.stage.over : text.stage.nobody}</p>}
      {next && (
        <p className={style.help}>
          {ready.length > 1 && text.stage.alsoReady(format.number(ready.length - 1))}
          {ready.length === 0 && under_way.length > 1 && text.stage.othersCalled(format.number(under_way.length - 1))}
        </p>
      )}
      <dl className={style.counts}>
        <Count name={text.stage.remaining} count={remaining(stage)} testId="remaining" />
        <LeftOfRound round={round} />
        <Count name={text.stage.reached} count={round.counts.reached} testId="reached" />
      </dl>
    </Paper>
  )
}

/** How far a citizen who is called ahead has come. */
export function Progress({ callback }: { callback: Callback }) {
  const { text, format } = useLanguage()
  const { state, confirmed_at } = callback
  const waits = state === 'waiting' && confirmed_at !== null
  const now = useNow(waits)
  if (state === 'screening') return text.stage.screened
  if (!waits) return text.callback[state]
  return text.stage.waitsSince(format.duration(now - Date.parse(confirmed_at)))
}

/** Minutes until the announced end; the operators' line has none. */
function LeftOfRound({ round }: { round: Round }) {
  const { text } = useLanguage()
  const now = useNow(true)
  const minutes = Math.ceil((Date.parse(round.ends_at) - now) / 60_000)
  if (round.is_operators_line || isOver(round) || Date.parse(round.starts_at) > now) return null
  if (minutes <= 0) return <div className={style.roundOver} data-testid="left-of-round" data-count={0}><dd>{text.leftOfRound.over}</dd></div>
  return <Count name={text.leftOfRound.name} count={minutes} testId="left-of-round" />
}

function Count({ name, count, testId }: { name: string; count: number; testId: string }) {
  const { format } = useLanguage()
  return (
    <div>
      <dd data-testid={testId} data-count={count}><Num>{format.number(count)}</Num></dd>
      <dt>{name}</dt>
    </div>
  )
}
