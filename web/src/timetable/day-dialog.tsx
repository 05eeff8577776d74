import { Button, Group, Stack } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import { useOfficials } from '../api/city'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { NoticeState, Who } from '../rounds/facts'
import { RoundForm } from '../rounds/round-form'
import { Notice } from '../ui/notice'
import { Tag } from '../ui/tag'
import { Sheet } from '../ui/sheet'
import { useUndo } from '../ui/use-undo'
import { useDayOff } from './day-cell'
import { DayOverrideForm } from './day-override-form'
import { HolidayActions } from './holiday-actions'
import { type CalendarDay, useRules } from './queries'
import style from './timetable.module.css'

interface Props {
  day: CalendarDay
  today: string
  may: boolean
  onClose: () => void
}

/** One day: what is there, and what can be made of it. */
export function DayDialog({ day, today, may, onClose }: Props) {
  const { text, format } = useLanguage()
  const { data: officials } = useOfficials()
  const { data: rules = [] } = useRules()
  const [asked, setAsked] = useState<'round' | number | null>(null)
  const { offer, undo } = useUndo()
  const off = useDayOff(day)
  const words = text.timetable
  const ahead = may && day.day >= today
  // Of each rule that names this day: its rounds are there, to come, or left out.
  const ids = new Set([...day.rounds.map(({ rule_id }) => rule_id), ...day.coming.map(({ rule_id }) => rule_id)])
  const ofDay = rules.filter(({ id }) => ids.has(id))
  if (asked === 'round' && officials) return <RoundForm day={day.day} officials={officials} onClose={() => setAsked(null)} />
  const rule = rules.find(({ id }) => id === asked)
  if (rule) return <DayOverrideForm rule={rule} day={day} onClose={() => setAsked(null)} />

  return (
    <Sheet title={format.longDate(day.day)} close={words.close} onClose={onClose}>
      {undo}
      <Stack gap="md" data-testid="day-dialog">
        {off && <Notice tone={off.closed ? 'warning' : 'plain'} data-testid="day-off">{off.label}</Notice>}
        {day.rounds.length + day.coming.length === 0 && <p className={style.soft}>{words.nothing}</p>}
        <ul className={style.plain}>
          {day.rounds.map((round) => <MadeRound key={round.id} round={round} />)}
          {day.coming.map((coming) => <Coming key={coming.rule_id} coming={coming} day={day} />)}
        </ul>
        {ahead && (
          <>
            {ofDay.map(({ id, name, active }) => active && (
              <Group key={id} justify="space-between">
                <span>{name}</span>
                <Button variant="default" onClick={() => setAsked(id)} data-testid="make-different">{words.different}</Button>
              </Group>
            ))}
            <HolidayActions day={day.day} off={day.off} offer={offer} />
            <Group justify="flex-end">
              <Button disabled={!officials} onClick={() => setAsked('round')} data-testid="add-round">{words.addRound}</Button>
            </Group>
          </>
        )}
      </Stack>
    </Sheet>
  )
}

function MadeRound({ round }: { round: Round }) {
  const { text, office, hours } = useLanguage()
  return (
    <li className={style.item} data-testid="day-round" data-phase={round.phase}>
      <span>
        <Link href={`/rounds/${round.id}`}>{office(round.official)}</Link>
        {text.comma}{hours(round)}
      </span>
      <span className={style.tags}>
        <Tag tone={round.phase === 'live' || round.phase === 'open' ? 'accent' : 'good'}>{text.phase[round.phase]}</Tag>
        <NoticeState round={round} />
      </span>
      <span className={style.soft}><Who round={round} /> {round.reason}</span>
    </li>
  )
}

function Coming({ coming, day }: { coming: CalendarDay['coming'][number]; day: CalendarDay }) {
  const { text, office, hours } = useLanguage()
  const override = day.day_overrides.find(({ rule_id }) => rule_id === coming.rule_id)
  const { data: officials = [] } = useOfficials()
  const substitute = officials.find(({ id }) => id === override?.substitute_id)
  const made = coming.lacking > 0
  return (
    <li className={style.item} data-testid="day-coming">
      <span>
        {made ? coming.officials.map(office).join(text.comma) : coming.name}
        {made && <>{text.comma}{hours(coming)}</>}
      </span>
      <span className={style.tags}>
        {made && <Tag tone="warning">{text.timetable.coming}</Tag>}
        {override?.dropped && <Tag tone="quiet">{text.timetable.dropped(override.reason)}</Tag>}
      </span>
      <span className={style.soft}>
        {made && coming.name} {substitute && text.rounds.substitute(office(substitute))} {!override?.dropped && override?.reason}
      </span>
    </li>
  )
}
