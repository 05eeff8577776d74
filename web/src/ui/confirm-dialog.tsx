import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { Dialog } from './dialog'
import { ErrorNotice } from './error-notice'
import type { Lacking } from './fields'
import { type At, useFields } from './use-fields'

interface Props<T> {
  title: ReactNode
  help?: string
  action: string
  color?: string
  able?: boolean
  /** Its fields, and what is missing in each. */
  lacking?: Lacking
  act: () => Promise<T>
  /** What follows an action that is done; without it the dialog closes. */
  onDone?: (answer: T) => void
  onClose: () => void
  children?: ReactNode | ((at: At) => ReactNode)
}

const NO_FIELDS: Lacking = {}

/** Asks once more, or what is needed for the action; then everything the pages know is asked for again. */
export function ConfirmDialog<T>({ title, help, action, color, able = true, lacking = NO_FIELDS, act, onDone, onClose, children }: Props<T>) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const mutation = useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      void queries.invalidateQueries()
      if (onDone) onDone(answer)
      else onClose()
    },
  })
  const { at, rest, send } = useFields(lacking, mutation.error)
  return (
    <Dialog opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': text.dialog.keep }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (able && !mutation.isPending) send(mutation.mutate)
        }}
      >
        <Stack gap="md">
          {help && <Text size="sm">{help}</Text>}
          {typeof children === 'function' ? children(at) : children}
          <ErrorNotice error={rest} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{text.dialog.keep}</Button>
            <Button type="submit" color={color} variant={color === 'brick' ? 'light' : 'filled'} disabled={!able} loading={mutation.isPending} data-testid="confirm">{action}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
