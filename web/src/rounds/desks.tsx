import { Paper } from '@mantine/core'
import { mayMove } from '../api/permissions'
import { useStage } from '../api/rounds'
import type { Me, Stage } from '../api/types'
import { TakePart } from '../control/take-part'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { talkOf } from '../callbacks/talk'
import { useNow } from '../ui/use-now'
import cards from '../ui/cards.module.css'

type Place = Stage['places'][number]

/** The desks that serve a round: who speaks, since when; a supervisor may take part. */
export function Desks({ id, me }: { id: number; me: Me }) {
  const { text } = useLanguage()
  const { data, error } = useStage(id)
  const may = mayMove(me.role) && me.desk !== null
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="desks-title" data-testid="desks">
      <h2 id="desks-title">{text.desks.title}</h2>
      <ErrorNotice error={error} />
      {data?.places.length === 0 && <p className={cards.more}>{text.desks.none}</p>}
      <ul className={cards.plain}>
        {data?.places.map((place) => (
          <li key={place.desk.id} className={cards.ends} data-testid="desk" data-id={place.desk.id}>
            <Doing place={place} />
            {may && place.desk.id !== me.desk?.id && <TakePart deskId={place.desk.id} speaks={place.callback?.state === 'talking'} me={me} />}
          </li>
        ))}
      </ul>
      {may && !me.desk?.phone_connected && <p className={cards.more}>{text.desks.connectFirst}</p>}
    </Paper>
  )
}

function Doing({ place: { desk, callback } }: { place: Place }) {
  const { text, format } = useLanguage()
  const speaks = callback?.state === 'talking' || callback?.state === 'held'
  const now = useNow(speaks)
  const talk = speaks ? talkOf(callback, now) : null
  const doing = () => {
    if (callback && talk) return text.desks.speaks(format.ticket(callback.registration.ticket), format.duration(talk.lasted))
    if (callback?.state === 'waiting') return text.desks.connecting(format.ticket(callback.registration.ticket))
    if (!desk.phone_connected) return text.desks.away
    return desk.next_asked_at ? text.desks.asks : text.desks.free
  }
  return (
    <span>
      <strong>{text.line.atDesk(format.number(desk.id))}</strong> <span className={cards.counts}>{doing()}</span>
    </span>
  )
}
