import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Problem } from '../api/problem'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { dropDraft, writtenDrafts, type Draft } from './note-drafts'
import { getCallback, saveOutcome } from './queries'

/** Notes of earlier callbacks which the API does not have yet: saved now, shown if that fails. */
export function KeptNotes({ deskId, except }: { deskId: number; except: number | null }) {
  const [, redraw] = useState(0)
  return writtenDrafts(deskId)
    .filter((kept) => kept.callbackId !== except)
    .map((kept) => (
      <KeptNote
        key={kept.callbackId} kept={kept}
        onDone={() => {
          dropDraft(deskId, kept.callbackId)
          redraw((count) => count + 1)
        }}
      />
    ))
}

function KeptNote({ kept, onDone }: { kept: Draft; onDone: () => void }) {
  const { text, format } = useLanguage()
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => {
      const { outcome } = await getCallback(kept.callbackId)
      if (!outcome) throw new Problem('wrong-state', 409)
      // The outcome stands; only the note is new.
      await saveOutcome(kept.callbackId, outcome, kept.note)
    },
    onSuccess: onDone,
  })
  useEffect(() => mutate(), [mutate])
  if (!error) return null

  return (
    <Notice tone="warning" data-testid="kept-note">
      <strong>{text.desk.noteKept(format.ticket(kept.ticket))}</strong>
      <Text my="xs" style={{ whiteSpace: 'pre-wrap' }}>{format.digits(kept.note)}</Text>
      <ErrorNotice error={error} />
      <Group mt="xs" gap="xs">
        <Button size="xs" loading={isPending} onClick={() => mutate()}>{text.desk.saveNote}</Button>
        <Button size="xs" variant="subtle" c="var(--ink-soft)" color="gray" onClick={onDone}>{text.desk.dismiss}</Button>
      </Group>
    </Notice>
  )
}
