import { useState } from 'react'
import { endRound } from '../api/rounds'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { Command } from '../ui/command'
import { KEY } from '../shortcuts/keys'
import { Notice } from '../ui/notice'
import { ReasonDialog } from '../ui/reason-dialog'
import { useHold } from '../ui/use-hold'
import { useKeys } from '../ui/use-keys'
import type { Serving } from './use-serving'
import style from './official.module.css'

/** Three large buttons, always at the same place, and the few that are rarely needed. */
export function StageActions({ serving, round }: { serving: Serving; round: Round }) {
  const { text } = useLanguage()
  const [ending, setEnding] = useState(false)
  const words = text.stage
  const { pending, record, resume, pause } = serving
  const next = record ?? serving.next
  const end = serving.mayEnd ? () => setEnding(true) : undefined
  const { hold, state } = useHold(next)
  const asks = serving.young ? { hold, state } : undefined
  useKeys({
    [KEY.next]: next && (asks ? hold : next), [KEY.finishing]: serving.finishing, [KEY.hangUp]: serving.hangUp,
    [KEY.notNow]: serving.notNow, [KEY.pause]: pause ?? resume, [KEY.endRound]: end, [KEY.leave]: serving.leave,
  })

  return (
    <>
      <div className={style.actions}>
        <Command name="next" letter={KEY.next} act={next} asks={asks} pending={pending} large>{record ? text.desk.saveOutcome : words.next}</Command>
        <Command name="finishing" letter={KEY.finishing} act={serving.finishing} pending={pending} large color="amber">{words.finishing}</Command>
        <Command name="hangup" letter={KEY.hangUp} act={serving.hangUp} pending={pending} large ends>{words.hangUp}</Command>
      </div>
      <div role="status" className="live">
        {asks && state !== 'idle' && <Notice tone="warning" data-testid="confirm-next">{text.confirmNext}</Notice>}
      </div>
      <div className={style.smaller}>
        <Command variant="default" name="not-now" letter={KEY.notNow} act={serving.notNow} pending={pending}>{words.notNow}</Command>
        <Command variant="default" name="pause" letter={KEY.pause} act={pause ?? resume} pending={pending}>{resume ? words.resume : words.pause}</Command>
        <Command variant="default" name="end-round" letter={KEY.endRound} act={end} pending={pending}>{words.endRound}</Command>
        {serving.leave && <Command variant="default" name="leave" letter={KEY.leave} act={serving.leave} pending={pending}>{words.leave}</Command>}
      </div>
      {ending && (
        <ReasonDialog
          title={text.rounds.endTitle} help={text.rounds.endHelp} action={text.rounds.end} needed={false} color="brick"
          act={(reason) => endRound(round.id, reason)} onClose={() => setEnding(false)}
        />
      )}
    </>
  )
}
