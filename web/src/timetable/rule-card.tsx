import { Button, Group, Paper } from '@mantine/core'
import { useState } from 'react'
import { addDays } from '../../shared/language/city-time'
import type { Official } from '../api/types'
import { clockHoursIn } from '../language/hours'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Tag } from '../ui/tag'
import { Behind } from './behind'
import { type Rule, useRuleDays } from './queries'
import { dayNamed, weekdaysOf } from './week'
import style from './timetable.module.css'

interface Props {
  rule: Rule
  officials: Official[]
  today: string
  may: boolean
  onChange: () => void
  onStop: () => void
}

const AHEAD_DAYS = 92

/** One rule: its days and hours, its officials in turn, and what comes next. */
export function RuleCard({ rule, officials, today, may, onChange, onStop }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.rules
  const [open, setOpen] = useState(false)
  const hours = clockHoursIn(text, format)(rule)
  const weekdays = weekdaysOf(rule.rrule)?.map((day) => format.weekday(dayNamed(day))).join(text.comma)
  const names = rule.official_ids.map((id) => officials.find((one) => one.id === id)).filter((one) => one !== undefined).map(office)
  return (
    <Paper withBorder component="article" className={style.rule} aria-labelledby={`rule-${rule.id}`} data-testid="rule" data-id={rule.id}>
      <Group justify="space-between">
        <h3 id={`rule-${rule.id}`}>{rule.name}</h3>
        {!rule.active && <Tag tone="quiet">{words.stopped}</Tag>}
        {may && rule.active && (
          <Group gap="xs">
            <Button variant="default" onClick={onChange} data-testid="change-rule">{text.rounds.change}</Button>
            <Button variant="light" color="brick" onClick={onStop} data-testid="stop-rule">{words.stop}</Button>
          </Group>
        )}
      </Group>
      <p>{weekdays ? words.every(weekdays, hours) : <><bdi dir="ltr">{rule.rrule}</bdi>{text.comma}{hours}</>}</p>
      <p className={style.soft}>
        {words.inTurn}: {names.join(text.comma)}
        {rule.at_once > 1 && ` (${words.atOnce(format.number(rule.at_once))})`}
      </p>
      {rule.active && (
        <>
          {may && <Behind rule={rule} />}
          <Button variant="subtle" px={0} onClick={() => setOpen(!open)} aria-expanded={open} className={style.start} data-testid="next-days">
            {open ? words.hideDays : words.nextDays}
          </Button>
          {open && <NextDays id={rule.id} from={today} />}
        </>
      )}
    </Paper>
  )
}

function NextDays({ id, from }: { id: number; from: string }) {
  const { code, text, format, office } = useLanguage()
  const { data, error } = useRuleDays(id, from, addDays(from, AHEAD_DAYS))
  return (
    <>
      <ErrorNotice error={error} />
      {data?.length === 0 && <p className={style.soft}>{text.rules.noDays}</p>}
      <ul className={style.plain}>
        {data?.map((day) => {
          const holiday = day.holiday && (code === 'fa' ? day.holiday : text.timetable.off)
          const none = day.round_ids.length === 0 && (day.dropped ? text.timetable.dropped(day.reason) : holiday)
          if (!none && day.officials.length === 0) return null // too near for a notice
          return (
            <li key={day.day} className={style.item} data-testid="next-day">
              <span>{format.longDate(day.day)}</span>
              <span>{none || day.officials.map(office).join(text.comma)}</span>
              <span className={style.tags}>
                {!none && <Tag tone={day.round_ids.length ? 'good' : 'warning'}>{day.round_ids.length ? text.rules.made : text.timetable.coming}</Tag>}
              </span>
            </li>
          )
        })}
      </ul>
    </>
  )
}
