import { useLanguage } from '../language/language'
import type { Hour } from './queries'
import style from './wallboard.module.css'

const OPENS = 7
const CLOSES = 19
const HOUR = 3_600_000
/** Where there is no room for the name of each hour, every third has its: 9, 12, 15, 18. */
const NAMED = 3

/** Today by the hour: the working hours, and any other in which something happened. */
export function Bars({ hours, now }: { hours: Hour[]; now: number }) {
  const { text, format } = useLanguage()
  const words = text.wallboard
  const left = hours.reduce((all, { left_number }) => all + left_number, 0)
  const busy = hours.flatMap(({ reached, answered, turned_away }, hour) => (reached + answered + turned_away > 0 ? [hour] : []))
  const shown = hours.map((hour, place) => ({ ...hour, place })).slice(Math.min(OPENS, ...busy), Math.max(CLOSES, ...busy) + 1)
  return (
    <>
      <Chart
        title={words.reachedByHour} now={now} testId="reached-by-hour"
        columns={shown.map(({ at, place, reached }) => ({ at, place, parts: [reached] }))}
      />
      <Chart
        title={words.callsByHour} now={now} legend={[words.answered, words.turnedAway]} testId="calls-by-hour"
        note={left > 0 ? words.leftNumber(format.number(left)) : undefined}
        columns={shown.map(({ at, place, answered, turned_away }) => ({ at, place, parts: [answered, turned_away] }))}
      />
    </>
  )
}

interface ChartProps {
  title: string
  now: number
  legend?: string[]
  /** What is to be said of the whole day besides. */
  note?: string
  testId: string
  columns: { at: string; place: number; parts: number[] }[]
}

const sum = (parts: number[]) => parts.reduce((total, part) => total + part, 0)

function Chart({ title, now, legend = [], note, testId, columns }: ChartProps) {
  const { text, format } = useLanguage()
  const words = text.wallboard
  const most = Math.max(1, ...columns.map(({ parts }) => sum(parts)))
  const present = (at: string) => now >= Date.parse(at) && now < Date.parse(at) + HOUR
  return (
    <section className={style.chart} data-testid={testId}>
      <h2>
        {title}
        <span className={style.soft}>{words.sum(format.number(sum(columns.map(({ parts }) => sum(parts)))))}</span>
        {note && <span className={style.soft}>{note}</span>}
      </h2>
      {legend.length > 0 && (
        <p className={style.legend} aria-hidden>{legend.map((name, part) => <span key={name} data-part={part}>{name}</span>)}</p>
      )}
      <Read title={title} names={legend.length > 0 ? legend : [title]} columns={columns} />
      <ol className={style.bars} data-many={columns.length > CLOSES - OPENS + 1} data-large={most >= 100} aria-hidden>
        {columns.map(({ at, place, parts }) => (
          <li key={at} data-now={present(at)} data-named={place % NAMED === 0}>
            <span className={style.value}>{sum(parts) > 0 && format.number(sum(parts))}</span>
            {parts.map((part, index) => (
              <i key={index} data-part={index} style={{ blockSize: `${(part / most) * 62}%` }} />
            ))}
            <span className={style.hour}><b>{format.number(place)}</b></span>
          </li>
        ))}
      </ol>
    </section>
  )
}

interface ReadProps extends Pick<ChartProps, 'title' | 'columns'> {
  /** Of the parts of a column. */
  names: string[]
}

/** The chart as a table, for who listens to the page: at a wall it has no room, and nobody to scroll it. */
function Read({ title, names, columns }: ReadProps) {
  const { text, format } = useLanguage()
  return (
    <div className={style.read}>
      <table data-testid="chart-table">
        <caption>{title}</caption>
        <thead>
          <tr>{[text.wallboard.hour, ...names].map((name) => <th key={name} scope="col">{name}</th>)}</tr>
        </thead>
        <tbody>
          {columns.map(({ at, place, parts }) => (
            <tr key={at}>
              <th scope="row">{format.number(place)}</th>
              {parts.map((part, index) => <td key={index}>{format.number(part)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
