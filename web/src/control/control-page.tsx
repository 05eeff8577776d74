import { Button } from '@mantine/core'
import { Link } from 'wouter'
import { mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { PhonePanel } from '../desk/phone-panel'
import { useLanguage } from '../language/language'
import { useDeskPhone } from '../phone/desk-phone'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { useNow } from '../ui/use-now'
import { useTitle } from '../ui/use-title'
import { Alarms } from './alarms'
import { Desks } from './desks'
import { Lines } from './lines'
import { useControlRoom } from './queries'
import rows from '../ui/rows.module.css'
import style from './control.module.css'

/** The supervisor's room: what is wrong, each live line, each desk; and what can be done about it. */
export default function ControlPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  useTitle(text.control.title)
  const { data: room, error } = useControlRoom()
  const now = useNow(true)
  return (
    <div>
      <Header me={me} page="control">{null}</Header>
      <main className={`${rows.page} ${style.page}`}>
        <ErrorNotice error={error} />
        {!room && !error && <Loading />}
        {room && (
          <>
            <Alarms alarms={room.alarms} lines={room.lines} now={now} />
            {mayMove(me.role) && <Ears me={me} />}
            {room.lines.length === 0
              ? <Empty data-testid="control-quiet" action={<Button component={Link} href="/rounds" variant="light">{text.rounds.title}</Button>}>{text.control.quiet}</Empty>
              : <Lines lines={room.lines} me={me} now={now} />}
            <Desks desks={room.desks} lines={room.lines} me={me} now={now} />
          </>
        )}
      </main>
    </div>
  )
}

/** With what a supervisor listens: or what is missing for that. */
function Ears({ me }: { me: Me }) {
  const { text } = useLanguage()
  const phone = useDeskPhone()
  if (!me.desk) return <Notice tone="plain" data-testid="no-ears">{text.control.noDesk}</Notice>
  return (
    <>
      <PhonePanel desk={me.desk} phone={phone} />
      {!me.desk.phone_connected && <p className={rows.soft}>{text.desks.connectFirst}</p>}
      <p className={rows.soft}>{text.control.theyKnow}</p>
    </>
  )
}
