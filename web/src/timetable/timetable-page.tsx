import { useState } from 'react'
import { cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { monthOf, weeksOf } from '../language/month'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { useTitle } from '../ui/use-title'
import { Whole } from '../ui/whole'
import { Calendar } from './calendar'
import { DayDialog } from './day-dialog'
import { MonthChoice } from './month-choice'
import { useCalendar } from './queries'
import { Rules } from './rules'
import style from './timetable.module.css'

/** The timetable: a month of the city, day by day, and the rules that make its rounds. */
export default function TimetablePage({ me }: { me: Me }) {
  const { code, text } = useLanguage()
  useTitle(text.timetable.title)
  const today = cityTime(serverNow()).day
  const [anchor, setAnchor] = useState(today)
  const [open, setOpen] = useState<string | null>(null)
  const month = monthOf(anchor, code)
  const weeks = weeksOf(month, code)
  const days = weeks.flat().filter((day) => day !== null)
  const { data = [], isPending, error } = useCalendar(days[0] ?? today, days.at(-1) ?? today)
  const byDay = new Map(data.map((day) => [day.day, day]))
  const shown = open === null ? undefined : byDay.get(open)
  const may = mayPlan(me.role)

  return (
    <div>
      <Header me={me} page="timetable">{null}</Header>
      <main className={style.page}>
        <section aria-labelledby="calendar-title">
          <div className={style.head}>
            <h2 id="calendar-title">{text.timetable.calendar}</h2>
            <MonthChoice month={month} today={today} onChange={setAnchor} />
          </div>
          <ErrorNotice error={error} />
          <div className={style.weeks}>
            <Calendar weeks={weeks} byDay={byDay} today={today} busy={isPending} anchor={anchor} onMove={setAnchor} onOpen={setOpen} />
          </div>
        </section>
        <Whole><Rules may={may} today={today} /></Whole>
      </main>
      {shown && <DayDialog day={shown} today={today} may={may} onClose={() => setOpen(null)} />}
    </div>
  )
}
