import { useLanguage } from '../language/language'
import { RunningTime } from '../ui/number'
import type { WallLine } from './queries'
import style from './wallboard.module.css'

const LARGE = 4
const SMALL = 5

interface Props {
  lines: WallLine[]
  now: number
}

/** The lines in which somebody answers now, large; the other rounds of today below. */
export function Lines({ lines, now }: Props) {
  const { text, format } = useLanguage()
  const words = text.wallboard
  const large = lines.filter((line) => line.phase === 'live' && !line.is_operators_line).slice(0, LARGE)
  const operatorsLine = lines.filter((line) => line.is_operators_line)
  const others = lines.filter((line) => !line.is_operators_line && !large.includes(line))
  return (
    <section className={style.lines} aria-label={words.today}>
      {[...large, ...operatorsLine].map((line) => <Large key={line.round_id} line={line} now={now} />)}
      <h2>{words.today}</h2>
      {others.length === 0 && <p className={style.soft}>{words.noRounds}</p>}
      <ul className={style.others}>
        {others.slice(0, SMALL).map((line) => <Small key={line.round_id} line={line} />)}
      </ul>
      {others.length > SMALL && <p className={style.soft}>{words.more(format.number(others.length - SMALL))}</p>}
    </section>
  )
}

function Large({ line, now }: { line: WallLine; now: number }) {
  const { text, format, office } = useLanguage()
  const words = text.wallboard
  const left = Math.floor((Date.parse(line.ends_at) - now) / 60_000)
  const numbers: [string, string][] = [
    [words.waiting, format.number(line.waiting)],
    [words.ready, format.number(line.ready)],
    [words.speaking, format.number(line.speaking)],
    [words.reached, format.number(line.reached)],
    [words.perHour, line.per_hour === null ? '–' : format.number(Math.round(line.per_hour))],
  ]
  if (line.is_operators_line) numbers.splice(1, 0, [words.onTheLine, format.number(line.on_the_line)])
  else numbers.push([left < 0 ? words.over : words.left, format.number(Math.abs(left))])
  return (
    <article className={style.large} data-testid="line" data-id={line.round_id} data-paused={line.paused_at !== null}>
      <h2>
        {office(line)}
        <span className={style.tag} data-phase={line.paused_at ? 'paused' : line.phase}>
          {line.paused_at ? words.paused : line.is_operators_line ? words.operatorsLine : text.phase[line.phase]}
        </span>
      </h2>
      <dl className={style.numbers}>
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dd>{value}</dd>
            <dt>{name}</dt>
          </div>
        ))}
      </dl>
    </article>
  )
}

function Small({ line }: { line: WallLine }) {
  const { text, format, office, hours } = useLanguage()
  return (
    <li data-testid="line" data-id={line.round_id}>
      <span className={style.hours}>{hours(line)}</span>
      <b>{office(line)}</b>
      <span className={style.tag} data-phase={line.phase}>{text.phase[line.phase]}</span>
      <span className={style.count}>{text.rounds.counts(format.number(line.waiting), format.number(line.reached))}</span>
    </li>
  )
}

/** Whoever waits longest: on the phone, where minutes matter, and in a line. */
export function Longest({ lines, now }: Props) {
  const { text, format } = useLanguage()
  const words = text.wallboard
  const first = (moments: (string | null)[]) => moments.filter((moment) => moment !== null).sort()[0]
  const answered = lines.filter(({ phase }) => phase === 'live')
  const onThePhone = first(answered.flatMap((line) => [line.ready_since, line.on_the_line_since]))
  const inLine = first(answered.map((line) => line.waiting_since))
  return (
    <section className={style.longest} data-testid="longest">
      <h2>{words.longest}</h2>
      <dl>
        <div>
          <dt>{words.onThePhone}</dt>
          <dd className={style.figure}>{onThePhone ? <RunningTime>{format.duration(now - Date.parse(onThePhone))}</RunningTime> : words.nobody}</dd>
        </div>
        <div>
          <dt>{words.inTheLine}</dt>
          <dd>{inLine ? format.moment(inLine) : words.nobody}</dd>
        </div>
      </dl>
    </section>
  )
}
