import { Button, Kbd } from '@mantine/core'
import { useLanguage } from '../../language/language'
import { useKeys } from '../../ui/use-keys'
import type { Desk } from './use-desk'
import style from './callback.module.css'

/** The three things a desk does, always at the same place; the one whose turn it is stands out. */
export function Actions({ desk, takeNext }: { desk: Desk; takeNext: (() => void) | undefined }) {
  const { text } = useLanguage()
  useKeys({ KeyN: takeNext, KeyC: desk.call, KeyH: desk.hangUp })

  return (
    <div className={style.actions}>
      <Action name="take-next" letter="N" act={takeNext} pending={desk.pending.next}>{text.desk.takeNext}</Action>
      <Action name="call" letter="C" act={desk.call} pending={desk.pending.call}>{text.desk.call}</Action>
      <Action name="hangup" letter="H" act={desk.hangUp} pending={desk.pending.end} color="brick">
        {text.desk.hangUp}
      </Action>
    </div>
  )
}

interface ActionProps {
  name: string
  letter: string
  act: (() => void) | undefined
  pending: boolean
  color?: string
  children: string
}

function Action({ name, letter, act, pending, color, children }: ActionProps) {
  return (
    <Button
      size="lg" data-testid={name} disabled={!act && !pending} loading={pending} onClick={act}
      color={color} rightSection={<Kbd className={style.key} aria-hidden>{letter}</Kbd>} aria-keyshortcuts={letter}
    >
      {children}
    </Button>
  )
}
