import { useState } from 'react'
import { useLanguage } from '../language/language'
import { Command } from '../ui/command'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import { Dismiss } from './dismiss'
import type { Assist } from './use-assist'
import style from './assist.module.css'

export function AssistActions({ assist }: { assist: Assist }) {
  const { text } = useLanguage()
  const { pending, screen, handOver, dismiss, withMe, pause, resume } = assist
  const [ending, setEnding] = useState<number>()
  const hangUp = withMe && (() => setEnding(withMe.id))
  useKeys({ [KEY.screen]: screen, [KEY.handOver]: handOver, [KEY.hangUp]: hangUp, [KEY.pause]: pause ?? resume })
  return (
    <>
      <div className={style.actions}>
        <Command name="screen" letter={KEY.screen} act={screen} pending={pending}>{text.assist.screen}</Command>
        <Command name="hand-over" letter={KEY.handOver} act={handOver} pending={pending}>{text.assist.handOver}</Command>
        <Command name="hangup" letter={KEY.hangUp} act={hangUp} pending={pending} ends>{text.desk.hangUp}</Command>
        <Command name="pause" letter={KEY.pause} act={pause ?? resume} pending={pending} variant="default">
          {resume ? text.stage.resume : text.stage.pause}
        </Command>
      </div>
      {dismiss && ending === withMe?.id && <Dismiss onSay={dismiss} onBack={() => setEnding(undefined)} />}
    </>
  )
}
