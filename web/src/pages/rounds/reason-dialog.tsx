import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useLanguage } from '../../language/language'
import { Complaint } from '../../ui/complaint'

interface Props {
  title: string
  help: string
  action: string
  color?: string
  /** Whether the deed needs a reason, which is then public; null: it takes none. */
  needed?: boolean | null
  /** What is asked for, if not the reason. */
  label?: string
  longest?: number
  /** Where the reason is read, if not by citizens. */
  about?: string
  act: (reason: string) => Promise<unknown>
  onClose: () => void
  /** What is asked for besides. */
  children?: ReactNode
}

/** Asks once more, and why. */
export function ReasonDialog({ title, help, action, color = 'turquoise', needed = true, label, longest = 500, about, act, onClose, children }: Props) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const deed = useMutation({
    mutationFn: () => act(reason.trim()),
    onSuccess: async () => {
      await queries.invalidateQueries()
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': text.rounds.keep }}>
      <Stack gap="md">
        <Text size="sm">{help}</Text>
        {children}
        {needed !== null && (
          <Textarea
            label={label ?? text.rounds.reason} description={needed && (about ?? text.rounds.reasonPublic)} value={reason} maxLength={longest}
            autosize minRows={2} data-autofocus data-testid="reason" onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        <Complaint error={deed.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.rounds.keep}</Button>
          <Button
            color={color} disabled={needed === true && !reason.trim()} loading={deed.isPending} data-testid="confirm"
            onClick={() => deed.mutate()}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
