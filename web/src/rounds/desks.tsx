import { Button, Group, Paper } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import { mayMove } from '../api/permissions'
import { useStage } from '../api/rounds'
import type { Me, Stage } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useNow } from '../ui/use-now'
import { hear, type Hearing } from './queries'
import style from '../ui/plans.module.css'

type Place = Stage['places'][number]
const WAYS: Hearing[] = ['listen', 'whisper', 'join']

/** The desks that serve a round: who speaks, since when; a supervisor may take part. */
export function Desks({ id, me }: { id: number; me: Me }) {
  const { text } = useLanguage()
  const { data, error } = useStage(id)
  const may = mayMove(me.role) && me.desk !== null
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="desks-title" data-testid="desks">
      <h2 id="desks-title">{text.desks.title}</h2>
      <ErrorNotice error={error} />
      {data?.places.length === 0 && <p className={style.more}>{text.desks.none}</p>}
      <ul className={style.plain}>
        {data?.places.map((place) => (
          <li key={place.desk.id} className={style.desk} data-testid="desk" data-id={place.desk.id}>
            <Doing place={place} />
            {may && place.desk.id !== me.desk?.id && <Take place={place} me={me} />}
          </li>
        ))}
      </ul>
      {may && !me.desk?.phone_connected && <p className={style.more}>{text.desks.connectFirst}</p>}
    </Paper>
  )
}

function Doing({ place: { desk, callback } }: { place: Place }) {
  const { text, format } = useLanguage()
  const since = callback?.state === 'talking' ? callback.talking_at : null
  const now = useNow(since !== null)
  const doing = () => {
    if (callback && since) return text.desks.speaks(format.ticket(callback.registration.ticket), format.duration(now - Date.parse(since)))
    if (callback?.state === 'waiting') return text.desks.connecting(format.ticket(callback.registration.ticket))
    if (!desk.phone_connected) return text.desks.away
    return desk.next_asked_at ? text.desks.asks : text.desks.free
  }
  return (
    <span>
      <strong>{text.line.atDesk(format.number(desk.id))}</strong> <span className={style.counts}>{doing()}</span>
    </span>
  )
}

function Take({ place: { desk, callback }, me }: { place: Place; me: Me }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const mine = me.desk?.hears_desk_id === desk.id ? me.desk.hears_how : null
  const take = useMutation({
    mutationFn: (how: Hearing | null) => (how ? hear(desk.id, how) : hear(null)),
    onSuccess: (now) => queries.setQueryData(keys.me, now),
  })
  const able = callback?.state === 'talking' && me.desk?.phone_connected
  return (
    <>
      <Group gap={6} role="group" aria-label={text.desks.buttons(format.number(desk.id))}>
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
