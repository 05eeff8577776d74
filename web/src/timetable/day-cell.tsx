import { useLanguage } from '../language/language'
import { dayOfMonth } from '../language/month'
import type { CalendarDay } from './queries'
import { isFriday } from './week'
import style from './timetable.module.css'

interface Props {
  day: string
  found: CalendarDay | undefined
  isToday: boolean
  /** Whether Tab comes here; the arrow keys go on to the others. */
  reachable: boolean
  onOpen: () => void
}

/** So many lines has a day's cell below its number. */
const MOST = 3

/** One day of the month: its name, what is made of it, what will be. */
export function DayCell({ day, found, isToday, reachable, onOpen }: Props) {
  const { code, text, format, office } = useLanguage()
  const words = text.timetable
  const off = useDayOff(found)
  const rounds = found?.rounds ?? []
  const coming = (found?.coming ?? []).filter(({ lacking }) => lacking > 0)
  const dropped = (found?.day_overrides ?? []).filter((override) => override.dropped).map(({ reason }) => words.dropped(reason))
  const room = Math.max(1, MOST - (off ? 1 : 0) - dropped.length)
  const label = [format.longDate(day), isToday && words.today, off && (off.closed ? words.off : text.holidays.works)]
  const lines = [
    ...rounds.map((round) => ({ key: `r${round.id}`, phase: round.phase, at: round.starts_at, who: office(round.substitute ?? round.official) })),
    ...coming.flatMap(({ rule_id, starts_at, officials }) =>
      officials.map((official, n) => ({ key: `c${rule_id}-${n}`, phase: 'coming', at: starts_at, who: office(official) }))),
  ]
  return (
    <td role="gridcell" className={style.cell}>
      <button
        type="button" className={style.day} tabIndex={reachable ? 0 : -1} data-day={day} data-testid="day-cell" onClick={onOpen}
        data-closed={(off?.closed ?? isFriday(day)) || undefined} aria-current={isToday ? 'date' : undefined}
      >
        <span className={style.hidden}>{label.filter(Boolean).join(text.comma)}</span>
        <span className={style.number} aria-hidden>{format.digits(dayOfMonth(day, code))}</span>
        <span className={style.weekday} aria-hidden>{format.weekday(day)}</span>
        {off && <span className={style.off}>{off.name}</span>}
        {dropped.map((reason) => <span key={reason} className={style.dropped}>{reason}</span>)}
        {lines.slice(0, lines.length > room ? room - 1 : room).map(({ key, phase, at, who }) => (
          <span key={key} className={style.line} data-phase={phase}>{format.time(at)} {who}</span>
        ))}
        {lines.length > room && <span className={style.line}>{words.roundsOf(format.number(lines.length))}</span>}
      </button>
    </td>
  )
}

/** What the calendar, or the city, says of a day, in the page's language. */
export function useDayOff(found: CalendarDay | undefined): { name: string; label: string; closed: boolean } | null {
  const language = useLanguage()
  if (!found?.off) return null
  const { text } = language
  const { closed } = found.off
  const name = language.name(found.off)
  return { name, closed, label: closed ? text.timetable.holiday(name) : text.timetable.works(name) }
}
