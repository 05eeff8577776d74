import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { Complaint } from './complaint'

interface Props<T> {
  title: string
  help?: string
  action: string
  color?: string
  able?: boolean
  act: () => Promise<T>
  /** What follows a deed that is done; without it the dialog closes. */
  onDone?: (answer: T) => void
  onClose: () => void
  children?: ReactNode
}

/** Asks once more, or what is needed for the deed; then everything the pages know is asked for again. */
export function ConfirmDialog<T>({ title, help, action, color, able = true, act, onDone, onClose, children }: Props<T>) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const deed = useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      void queries.invalidateQueries()
      if (onDone) onDone(answer)
      else onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': text.rounds.keep }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (able && !deed.isPending) deed.mutate()
        }}
      >
        <Stack gap="md">
          {help && <Text size="sm">{help}</Text>}
          {children}
          <Complaint error={deed.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{text.rounds.keep}</Button>
            <Button type="submit" color={color} disabled={!able} loading={deed.isPending} data-testid="confirm">{action}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
