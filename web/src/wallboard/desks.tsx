import { useLanguage } from '../language/language'
import { CallIcon } from '../callbacks/call-state'
import type { CallState } from '../callbacks/call-states'
import { RunningTime } from '../ui/number'
import type { WallDesk, WallLine } from './queries'
import style from './wallboard.module.css'

const SHOWN = 14

/** What a desk does, as the other pages show it. */
const CALL: Partial<Record<WallDesk['doing'], CallState>> = {
  speaking: 'talking', calling: 'calling', 'wrap-up': 'after', waiting: 'calling', free: 'ready',
}

interface Props {
  desks: WallDesk[]
  lines: WallLine[]
  now: number
}

/** Every desk, those at work first: who sits there, what it does, and since when. */
export function Desks({ desks, lines, now }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.wallboard
  const up = desks.filter(({ doing }) => doing !== 'away')
  const sorted = [...up, ...desks.filter(({ doing }) => doing === 'away')]
  return (
    <section className={style.desks} data-testid="desks">
      <h2>
        {words.desks}
        <span className={style.soft}>{words.phones(format.number(up.length), format.number(desks.length))}</span>
      </h2>
      <ul>
        {sorted.slice(0, SHOWN).map(({ desk_id, name, round_id, doing, since }) => {
          const line = lines.find((one) => one.round_id === round_id)
          const call = CALL[doing]
          return (
            <li key={desk_id} data-call={call} data-doing={doing} data-testid="desk" data-id={desk_id}>
              <b>{text.line.atDesk(format.number(desk_id))}</b>
              <span className={style.name}>{name}</span>
              <span className={style.doing}>{call && <CallIcon state={call} />} {words.doing[doing]}</span>
              <span className={style.since}>{since && <RunningTime>{format.duration(now - Date.parse(since))}</RunningTime>}</span>
              <span className={style.serves}>{line && office(line)}</span>
            </li>
          )
        })}
      </ul>
      {sorted.length > SHOWN && <p className={style.soft}>{words.more(format.number(sorted.length - SHOWN))}</p>}
    </section>
  )
}
