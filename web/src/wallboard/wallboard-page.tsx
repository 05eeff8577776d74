import { useColorScheme } from '@mantine/hooks'
import { useEffect } from 'react'
import { useMe } from '../api/session'
import { useLanguage } from '../language/language'
import { Loading } from '../ui/loading'
import { RunningTime } from '../ui/number'
import { useNow } from '../ui/use-now'
import { Bars } from './bars'
import { Desks } from './desks'
import { Foot } from './foot'
import { Lines, Longest } from './lines'
import { useWallboard } from './queries'
import style from './wallboard.module.css'

const OLD = 15_000

/** What hangs on the wall: readable from across the room, and never older than it looks. */
export default function WallboardPage() {
  const { text, format } = useLanguage()
  const me = useMe().data ?? null
  const { wall, signedOut } = useWallboard(me !== null)
  const now = useNow(true)
  // A wall follows its own screen, whatever a desk's browser keeps.
  const scheme = useColorScheme('light', { getInitialValueInEffect: false })
  const words = text.wallboard
  useEffect(() => {
    document.title = `${words.title} · ${text.brandNumber}`
  }, [words, text])
  const old = wall !== undefined && now - wall.seenAt > OLD
  const at = new Date(now).toISOString()

  return (
    <main className={style.wall} data-scheme={scheme} data-testid="wall" data-old={old || signedOut}>
      <header className={style.head}>
        <h1><span aria-hidden>{text.brandNumber}</span>{words.title}</h1>
        <p className={style.city}>{text.city}</p>
        <p className={style.date}>{format.date(at)}</p>
        <p className={style.clock}><RunningTime>{format.time(at)}</RunningTime></p>
      </header>
      <div role="alert" className="live">
        {signedOut && <p className={style.alarm} data-testid="signed-out">{words.signedOut} <a href="/sign-in">{words.signIn}</a></p>}
        {!signedOut && old && <p className={style.alarm} data-testid="old">{words.old(format.time(new Date(wall.seenAt).toISOString()))}</p>}
        {wall?.health.calls?.startsWith('down') && <p className={style.alarm} data-testid="calls-down">{text.callsDown}</p>}
      </div>
      {!wall && !signedOut && <Loading />}
      {wall && (
        <div className={style.board}>
          <Lines lines={wall.now.lines} now={now} />
          <Longest lines={wall.now.lines} now={now} />
          <Bars hours={wall.now.hours} now={now} />
          <Desks desks={wall.now.desks} lines={wall.now.lines} now={now} />
        </div>
      )}
      <Foot health={wall?.health ?? {}} me={me} />
    </main>
  )
}
