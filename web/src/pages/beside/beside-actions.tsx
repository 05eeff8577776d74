import { useLanguage } from '../../language/language'
import { Command } from '../../ui/command'
import { useKeys } from '../../ui/use-keys'
import type { Beside } from './use-beside'
import callbackStyle from '../desk/callback.module.css'

export function BesideActions({ beside }: { beside: Beside }) {
  const { text } = useLanguage()
  const { pending, screen, handOver, pause, resume } = beside
  useKeys({ KeyS: screen, KeyT: handOver, KeyP: pause ?? resume })
  return (
    <div className={callbackStyle.actions}>
      <Command name="screen" letter="S" act={screen} pending={pending}>{text.beside.screen}</Command>
      <Command name="hand-over" letter="T" act={handOver} pending={pending}>{text.beside.handOver}</Command>
      <Command name="pause" letter="P" act={pause ?? resume} pending={pending} variant="default">
        {resume ? text.stage.resume : text.stage.pause}
      </Command>
    </div>
  )
}
