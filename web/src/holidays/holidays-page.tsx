import { Button } from '@mantine/core'
import { useState } from 'react'
import { cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { monthOf, yearSpan } from '../language/month'
import { CloseDay } from '../timetable/close-day'
import { HolidayActions } from '../timetable/holiday-actions'
import { DayPicker } from '../ui/day-picker'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { useUndo } from '../ui/use-undo'
import { useHolidays } from './queries'
import style from '../timetable/timetable.module.css'
import cards from '../ui/cards.module.css'

/** The holidays of a year: the calendar's, and the city's own word about them. */
export default function HolidaysPage({ me }: { me: Me }) {
  const { code, name, text, format } = useLanguage()
  const words = text.holidays
  useTitle(words.title)
  const today = cityTime(serverNow()).day
  const [offset, setOffset] = useState(0)
  /** Of the day that is added; empty: none is chosen yet. */
  const [day, setDay] = useState<string | null>(null)
  const year = monthOf(today, code).year + offset
  const [from, until] = yearSpan(year, code)
  const { data, error } = useHolidays(from, until)
  const may = mayPlan(me.role)
  const { offer, undo } = useUndo()
  return (
    <div>
      {undo}
      <Header me={me} page="holidays">
        {may && <Button onClick={() => setDay('')} data-testid="add-holiday">{words.add}</Button>}
      </Header>
      <main className={cards.list}>
        <p className={cards.more}>{words.help}</p>
        <section aria-labelledby="year">
          <div className={style.head}>
            <h2 id="year">{format.digits(year)}</h2>
            <div className={style.months}>
              <Button variant="default" onClick={() => setOffset(offset - 1)} data-testid="previous-year">{words.previous}</Button>
              <Button variant="default" onClick={() => setOffset(offset + 1)} data-testid="next-year">{words.next}</Button>
            </div>
          </div>
          <ErrorNotice error={error} />
          {data?.length === 0 && <Empty action={may && <Button variant="light" onClick={() => setDay('')}>{words.add}</Button>}>{words.none}</Empty>}
          <ul className={cards.items}>
            {data?.map((off) => (
              <li key={off.day} className={style.holiday} data-testid="holiday" data-day={off.day}>
                <span>{format.longDate(off.day)}</span>
                <strong>{name(off)}</strong>
                <span className={style.tags}>
                  <Tag tone={off.own ? 'good' : 'quiet'}>{off.own ? words.own : words.official}</Tag>
                  {!off.closed && <Tag tone="warning">{words.works}</Tag>}
                </span>
                {may && off.day >= today && <HolidayActions day={off.day} off={off} offer={offer} />}
              </li>
            ))}
          </ul>
        </section>
      </main>
      {day !== null && (
        <CloseDay title={words.addTitle} day={day} offer={offer} onClose={() => setDay(null)}>
          {(at) => <DayPicker {...at('day')} label={words.day} day={day} testId="holiday-day" onChange={setDay} />}
        </CloseDay>
      )}
    </div>
  )
}
