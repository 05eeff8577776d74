import { Textarea } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from './confirm-dialog'

interface Props {
  title: string
  help: string
  action: string
  color?: string
  /** Whether the action needs a reason, which is then public; null: it takes none. */
  needed?: boolean | null
  /** What is asked for, if not the reason. */
  label?: string
  longest?: number
  /** False: what is asked for besides is still missing. */
  ready?: boolean
  /** Where the reason is read, if not by citizens. */
  about?: string
  act: (reason: string) => Promise<unknown>
  onClose: () => void
  /** What is asked for besides. */
  children?: ReactNode
}

/** Asks once more, and why. */
export function ReasonDialog({ needed = true, label, longest = 500, ready = true, about, act, children, color = 'turquoise', ...dialog }: Props) {
  const { text } = useLanguage()
  const [reason, setReason] = useState('')
  const lacking = { reason: needed === null ? undefined : needed && !reason.trim() && text.fields.missing }
  return (
    <ConfirmDialog {...dialog} color={color} able={ready} lacking={lacking} act={() => act(reason.trim())}>
      {(at) => (
        <>
          {children}
          {needed !== null && (
            <Textarea
              {...at('reason')} label={label ?? text.rounds.reason} description={needed && (about ?? text.rounds.reasonPublic)} value={reason} maxLength={longest}
              autosize minRows={2} data-autofocus data-testid="reason" onChange={(event) => setReason(event.currentTarget.value)}
            />
          )}
        </>
      )}
    </ConfirmDialog>
  )
}
