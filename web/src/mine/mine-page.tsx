import { Button, Paper } from '@mantine/core'
import { useState } from 'react'
import { addDays, cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import type { Me } from '../api/types'
import { Stretches, Sums } from '../control/day-parts'
import { DIDS, sumOf } from '../control/day-sums'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Num } from '../ui/number'
import { Table } from '../ui/table'
import { useNow } from '../ui/use-now'
import { useTitle } from '../ui/use-title'
import { useMyWeek, type PersonDay } from './queries'
import rows from '../ui/rows.module.css'
import style from './mine.module.css'

/** What I did at the desk: a week with its sums, and one day of it with every stretch. */
export default function MinePage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.mine
  useTitle(words.title)
  const [today] = useState(() => cityTime(serverNow()).day)
  const [asked, setAsked] = useState(today)
  const [chosen, setChosen] = useState(today)
  const { data: week = [], isPending, error } = useMyWeek(asked)
  const now = useNow(true)
  const day = week.find((one) => one.day === chosen) ?? week.at(-1)
  const turn = (days: number) => setAsked((before) => addDays(before, days))
  return (
    <div>
      <Header me={me} page="mine">{null}</Header>
      <main className={rows.page}>
        <div className={style.turn}>
          <Button variant="default" onClick={() => turn(-7)} data-testid="week-before">{words.earlier}</Button>
          <Button variant="default" disabled={asked >= today} onClick={() => turn(7)} data-testid="week-after">{words.later}</Button>
        </div>
        <ErrorNotice error={error} />
        {isPending && <Loading />}
        {day && <Week week={week} shown={day.day} now={now} onChoose={setChosen} />}
        {day && <Day day={day} now={now} />}
      </main>
    </div>
  )
}

const noon = (day: string) => `${day}T08:00:00Z`

interface WeekProps {
  week: PersonDay[]
  shown: string
  now: number
  onChoose: (day: string) => void
}

function Week({ week, shown, now, onChoose }: WeekProps) {
  const { text, format } = useLanguage()
  const words = text.mine
  const first = week[0]?.day ?? shown
  const title = words.week(format.day(noon(first)), format.day(noon(addDays(first, 6))))
  const sums = (spans: PersonDay['spans']) => [
    <Num key="count">{format.number(sumOf(spans, 'talked', now).count)}</Num>,
    ...DIDS.map((did) => <Num key={did}>{format.duration(sumOf(spans, did, now).lasted)}</Num>),
  ]
  return (
    <Paper withBorder component="section" className={rows.card}>
      <h2 className={style.title}>{title}</h2>
      <Table
        title={title} withTotal data-testid="my-week" columns={[words.day, words.conversations, ...DIDS.map((did) => text.control.dayDid[did])]}
        rows={[
          ...week.map(({ day, spans }) => [
            <Button
              key={day} className={style.day} variant={day === shown ? 'light' : 'subtle'} size="compact-sm" aria-pressed={day === shown}
              onClick={() => onChoose(day)} data-testid="day-of-week"
            >
              {format.date(noon(day))}
            </Button>,
            ...sums(spans),
          ]),
          [words.total, ...sums(week.flatMap(({ spans }) => spans))],
        ]}
      />
    </Paper>
  )
}

function Day({ day: { day, spans }, now }: { day: PersonDay; now: number }) {
  const { text, format } = useLanguage()
  return (
    <Paper withBorder component="section" className={rows.card} data-testid="my-day">
      <h2 className={style.title}>{format.longDate(noon(day))}</h2>
      {spans.length === 0 ? <Empty>{text.mine.nothing}</Empty> : (
        <>
          <Sums spans={spans} now={now} />
          <Stretches spans={spans} now={now} />
        </>
      )}
    </Paper>
  )
}
