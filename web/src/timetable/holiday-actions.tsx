import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ReasonDialog } from '../ui/reason-dialog'
import type { Offer } from '../ui/use-undo'
import { CloseDay } from './close-day'
import { addHoliday, type DayOff, removeHoliday } from './queries'

type Asked = 'closed' | 'works' | 'back' | null

interface Props {
  day: string
  off: DayOff | null
  offer: Offer
}

/** The city's own word about a day: closed, open although the calendar says holiday, or taken back. */
export function HolidayActions({ day, off, offer }: Props) {
  const { text, format } = useLanguage()
  const [asked, setAsked] = useState<Asked>(null)
  const words = text.timetable
  const shown = format.longDate(day)
  const ask = (what: Asked) => () => setAsked(what)
  const open = async (name: string) => {
    await addHoliday(day, name, true)
    offer({ said: words.dayIsNamed(shown, name), back: () => removeHoliday(day) })
  }
  const takeBack = async () => {
    await removeHoliday(day)
    // A day that is open again may have got its rounds by then: to close it would cancel them.
    if (off && !off.closed) offer({ said: words.dayIsBack(shown, off.name_fa), back: () => addHoliday(day, off.name_fa, !off.closed) })
  }
  return (
    <Group>
      {off?.own && <Button variant="light" onClick={ask('back')} data-testid="take-back">{words.takeBack}: {off.name_fa}</Button>}
      {off?.closed && !off.own && <Button variant="default" onClick={ask('works')} data-testid="mark-working">{words.markWorking}</Button>}
      {!off?.closed && !off?.own && <Button variant="default" onClick={ask('closed')} data-testid="mark-holiday">{words.markHoliday}</Button>}
      {asked === 'back' && (
        <ReasonDialog
          title={`${words.takeBack}: ${off?.name_fa ?? ''}`} help={off?.closed ? words.takeBackHelp : words.takeBackWorksHelp} action={words.takeBack}
          needed={null} act={takeBack} onClose={ask(null)}
        />
      )}
      {asked === 'closed' && <CloseDay title={words.markHolidayTitle(shown)} day={day} offer={offer} onClose={ask(null)} />}
      {asked === 'works' && (
        <ReasonDialog
          title={words.markWorkingTitle(shown)} help={words.markWorkingHelp} action={text.rounds.form.save} label={words.dayName} longest={200} field="name"
          about={text.rounds.reasonPublic} act={open} onClose={ask(null)}
        />
      )}
    </Group>
  )
}
