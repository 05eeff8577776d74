import { useEffect, useRef, type KeyboardEvent } from 'react'
import { addDays } from '../../shared/language/city-time'
import { useLanguage } from '../language/language'
import { firstDay, later, monthOf } from '../language/month'
import { DayCell } from './day-cell'
import type { CalendarDay } from './queries'
import { dayNamed, WEEK } from './week'
import style from './timetable.module.css'

interface Props {
  weeks: (string | null)[][]
  byDay: Map<string, CalendarDay>
  today: string
  /** What is on these days is still to come, and makes some of them higher. */
  busy: boolean
  /** The day on which the keyboard is. */
  anchor: string
  onMove: (day: string) => void
  onOpen: (day: string) => void
}

/** A month in weeks from Saturday to Friday; on a phone, a list of its days. */
export function Calendar({ weeks, byDay, today, busy, anchor, onMove, onOpen }: Props) {
  const { code, direction, text, format } = useLanguage()
  const table = useRef<HTMLTableElement>(null)
  const moved = useRef(false)
  useEffect(() => {
    if (moved.current) table.current?.querySelector<HTMLElement>(`[data-day="${anchor}"]`)?.focus()
    moved.current = false
  }, [anchor])

  const onKeyDown = (event: KeyboardEvent) => {
    const forward = direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const back = direction === 'rtl' ? 'ArrowRight' : 'ArrowLeft'
    const column = weeks.find((week) => week.includes(anchor))?.indexOf(anchor) ?? 0
    const days: Record<string, number> = {
      [forward]: 1, [back]: -1, ArrowDown: 7, ArrowUp: -7, Home: -column, End: 6 - column,
    }
    const months: Record<string, number> = { PageDown: 1, PageUp: -1 }
    const day = days[event.key]
    const month = months[event.key]
    if (day === undefined && month === undefined) return
    event.preventDefault()
    moved.current = true
    onMove(day === undefined ? firstDay(later(monthOf(anchor, code), month ?? 0, code), code) : addDays(anchor, day))
  }

  return (
    // The grid pattern, on what is a table also for who reads it without it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role
    <table role="grid" ref={table} className={style.calendar} aria-busy={busy} aria-labelledby="calendar-title" aria-describedby="calendar-keys" onKeyDown={onKeyDown}>
      <caption id="calendar-keys" className={style.hidden}>{text.timetable.keys}</caption>
      <thead>
        <tr role="row">
          {WEEK.map((name) => <th key={name} role="columnheader" scope="col">{format.weekday(dayNamed(name))}</th>)}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week, number) => (
          <tr key={week.find(Boolean) ?? number} role="row">
            {week.map((day, place) => day === null
              ? <td key={place} role="gridcell" className={style.empty} />
              : (
                <DayCell
                  key={day} day={day} found={byDay.get(day)} isToday={day === today} reachable={day === anchor}
                  onOpen={() => {
                    onMove(day)
                    onOpen(day)
                  }}
                />
              ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
