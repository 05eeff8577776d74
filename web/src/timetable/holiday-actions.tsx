import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ReasonDialog } from '../ui/reason-dialog'
import { addHoliday, type DayOff, removeHoliday } from './queries'

type Asked = 'closed' | 'works' | 'back' | null

interface Props {
  day: string
  off: DayOff | null
}

/** The city's own word about a day: closed, open although the calendar says holiday, or taken back. */
export function HolidayActions({ day, off }: Props) {
  const { text, format } = useLanguage()
  const [asked, setAsked] = useState<Asked>(null)
  const words = text.timetable
  const shown = format.longDate(day)
  const ask = (what: Asked) => () => setAsked(what)
  return (
    <Group>
      {off?.own && <Button variant="light" onClick={ask('back')} data-testid="take-back">{words.takeBack}: {off.name_fa}</Button>}
      {off?.closed && !off.own && <Button variant="default" onClick={ask('works')} data-testid="mark-working">{words.markWorking}</Button>}
      {!off?.closed && !off?.own && <Button variant="default" onClick={ask('closed')} data-testid="mark-holiday">{words.markHoliday}</Button>}
      {asked === 'back' && (
        <ReasonDialog
          title={`${words.takeBack}: ${off?.name_fa ?? ''}`} help={off?.closed ? words.takeBackHelp : words.markHolidayHelp} action={words.takeBack}
          needed={null} act={() => removeHoliday(day)} onClose={ask(null)}
        />
      )}
      {asked === 'closed' && (
        <ReasonDialog
          title={words.markHolidayTitle(shown)} help={words.markHolidayHelp} action={text.rounds.form.save} label={words.dayName} longest={200}
          act={(name) => addHoliday(day, name, false)} onClose={ask(null)}
        />
      )}
      {asked === 'works' && (
        <ReasonDialog
          title={words.markWorkingTitle(shown)} help={words.markWorkingHelp} action={text.rounds.form.save} label={words.dayName} longest={200}
          act={(name) => addHoliday(day, name, true)} onClose={ask(null)}
        />
      )}
    </Group>
  )
}
