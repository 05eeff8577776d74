import { Button, Group } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { hear, type Hearing } from './queries'

const WAYS: Hearing[] = ['listen', 'whisper', 'join']

interface Props {
  deskId: number
  /** The desk speaks with somebody now. */
  speaks: boolean
  me: Me
}

/** A supervisor's phone takes part in a desk's conversation. */
export function TakePart({ deskId, speaks, me }: Props) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const how = me.desk?.hears_desk_id === deskId ? me.desk.hears_how : null
  const mine = how === 'consult' ? null : how
  const take = useMutation({
    mutationFn: (how: Hearing | null) => (how ? hear(deskId, how) : hear(null)),
    onSuccess: (now) => queries.setQueryData(keys.me, now),
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.me, exact: true }), // an older answer may be on its way
  })
  const able = speaks && me.desk?.phone_connected
  return (
    <>
      <Group gap={6} role="group" aria-label={text.desks.buttons(format.number(deskId))}>
        {WAYS.map((how) => (
          <Button
            key={how} size="compact-sm" variant={mine === how ? 'filled' : 'default'} aria-pressed={mine === how}
            disabled={!able || take.isPending} onClick={() => take.mutate(how)} data-testid={how}
          >
            {text.desks.how[how]}
          </Button>
        ))}
        {mine && (
          <Button
            size="compact-sm" variant="light" color="brick" disabled={take.isPending} onClick={() => take.mutate(null)}
            data-testid="stop-hearing"
          >
            {text.desks.stop}
          </Button>
        )}
      </Group>
      <ErrorNotice error={take.error} />
    </>
  )
}
