import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLanguage } from '../../language/language'
import { Complaint } from '../../ui/complaint'

interface Props {
  title: string
  help: string
  action: string
  color?: string
  /** Whether the deed needs a reason, which is then public. */
  needed?: boolean
  /** Where the reason is read, if not by citizens. */
  about?: string
  act: (reason: string) => Promise<unknown>
  onClose: () => void
}

/** Asks once more, and why. */
export function ReasonDialog({ title, help, action, color = 'turquoise', needed = true, about, act, onClose }: Props) {
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
        <Textarea
          label={text.rounds.reason} description={needed && (about ?? text.rounds.reasonPublic)} value={reason} maxLength={500}
          autosize minRows={2} data-autofocus data-testid="reason" onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Complaint error={deed.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.rounds.keep}</Button>
          <Button
            color={color} disabled={needed && !reason.trim()} loading={deed.isPending} data-testid="confirm"
            onClick={() => deed.mutate()}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
