import { Textarea } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from './confirm-dialog'
import type { Lacking } from './fields'
import type { At } from './use-fields'

interface Props {
  title: string
  help: string
  action: string
  color?: string
  /** Whether the action needs a reason; null: it takes none. */
  needed?: boolean | null
  /** What is asked for, if not the reason. */
  label?: string
  longest?: number
  /** What the API calls it. */
  field?: string
  /** False: what it will do is not known yet. */
  ready?: boolean
  /** What is missing in what is asked for besides. */
  lacking?: Lacking
  /** Who reads the reason. */
  about?: string
  act: (reason: string) => Promise<unknown>
  onClose: () => void
  /** What is asked for besides. */
  children?: ReactNode | ((at: At) => ReactNode)
}

/** Asks once more, and why. */
export function ReasonDialog({ needed = true, label, longest = 500, field = 'reason', ready = true, lacking, about, act, children, color = 'turquoise', ...dialog }: Props) {
  const { text } = useLanguage()
  const [reason, setReason] = useState('')
  const all = { ...lacking, [field]: needed === null ? undefined : needed && !reason.trim() && text.fields.missing }
  return (
    <ConfirmDialog {...dialog} color={color} able={ready} lacking={all} act={() => act(reason.trim())}>
      {(at) => (
        <>
          {typeof children === 'function' ? children(at) : children}
          {needed !== null && (
            <Textarea
              {...at(field)} label={label ?? text.dialog.reason} description={needed && about} value={reason} maxLength={longest}
              autosize minRows={2} data-autofocus data-testid="reason" onChange={(event) => setReason(event.currentTarget.value)}
            />
          )}
        </>
      )}
    </ConfirmDialog>
  )
}
