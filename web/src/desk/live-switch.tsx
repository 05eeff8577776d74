import { Paper, Switch } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { keys } from '../api/keys'
import type { Me, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import { takeLiveCalls } from './queries'
import style from './live-switch.module.css'

interface Props {
  me: Me
  /** The line that is chosen on the page. */
  round: Round | undefined
}

/**
 * Whether callers who wait on the line come to this desk by themselves. An operator who is at the operators' line with a
 * connected phone takes them, unless the desk has said that it does not; nobody takes them while working on another line.
 */
export function LiveSwitch({ me, round }: Props) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const say = useMutation({
    // One after the other: the last wish holds.
    scope: { id: 'live-calls' },
    mutationFn: takeLiveCalls,
    onSuccess: (mine) => queries.setQueryData(keys.me, mine),
    // What was asked for before, and is still on its way, would show the wish before this one.
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.me, exact: true }),
  })
  const here = round?.is_operators_line === true
  const wanted = wish(me, round)
  const asked = useRef<boolean | null | undefined>(undefined)
  const { mutate } = say
  useEffect(() => {
    if (wanted !== undefined && wanted !== asked.current) mutate(wanted)
    asked.current = wanted
  }, [wanted, mutate])

  const takes = say.isPending ? say.variables ?? me.takes_live : me.takes_live
  const change = here ? () => say.mutate(!takes) : undefined
  useKeys({ [KEY.live]: change })
  if (!here) return null
  return (
    <Paper className={style.live} withBorder component="section" aria-label={text.live.title}>
      <Switch
        size="md" checked={takes} onChange={() => change?.()} data-testid="takes-live" aria-keyshortcuts={KEY.live}
        label={<>{text.live.takes} <Key>{KEY.live}</Key></>}
        description={takes ? (me.desk?.phone_connected ? text.live.on : text.live.noPhone) : text.live.off}
      />
      <ErrorNotice error={say.error} />
    </Paper>
  )
}

/** What the desk is to say by itself: nothing, that it takes live calls, or (null) what the line says that it serves. */
function wish(me: Me, round: Round | undefined): true | null | undefined {
  if (!round) return undefined
  if (!round.is_operators_line) return me.takes_live ? null : undefined
  const ready = me.role === 'operator' && me.desk?.phone_connected === true
  return ready && me.said_live === null && !me.takes_live ? true : undefined
}
