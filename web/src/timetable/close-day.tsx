import { Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { useDay } from '../rounds/queries'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { ReasonDialog } from '../ui/reason-dialog'
import type { At } from '../ui/use-fields'
import type { Offer } from '../ui/use-undo'
import { closing } from './closing'
import { addHoliday, type CalendarDay, removeHoliday } from './queries'
import style from './timetable.module.css'

interface Props {
  title: string
  /** Empty: none is chosen yet. */
  day: string
  offer: Offer
  onClose: () => void
  /** Where the day is chosen. */
  children?: (at: At) => ReactNode
}

/** Declares a holiday, and says before how many rounds and places it costs. */
export function CloseDay({ title, day, offer, onClose, children }: Props) {
  const { text, format } = useLanguage()
  const words = text.timetable
  const { data, error } = useDay(day)
  const cost = closing(data?.rounds ?? [])
  const close = async (name: string) => {
    const cancelled = await addHoliday(day, name, false)
    // A word of the city that stood there before, or rounds that are cancelled now, do not come back.
    if (!data?.off?.own && cancelled.length === 0) {
      offer({ said: words.dayIsNamed(format.longDate(day), name), back: () => removeHoliday(day) })
    }
  }
  return (
    <ReasonDialog
      title={title} help={words.markHolidayHelp} label={words.dayName} longest={200} field="name" about={text.rounds.reasonPublic} ready={day === '' || data !== undefined}
      lacking={{ day: children ? day === '' && text.fields.choose : undefined }}
      action={cost.cancelled > 0 ? words.closeAndCancel(format.number(cost.cancelled)) : text.rounds.form.save}
      color={cost.cancelled > 0 ? 'brick' : undefined} act={close} onClose={onClose}
    >
      {(at) => (
        <>
          {children?.(at)}
          <div role="status">
            {day === '' && <p className={style.soft} data-testid="no-day">{words.noDay}</p>}
            {data && <Cost day={data} cost={cost} />}
          </div>
          <ErrorNotice error={error} />
        </>
      )}
    </ReasonDialog>
  )
}

function Cost({ day, cost }: { day: CalendarDay; cost: ReturnType<typeof closing> }) {
  const { text, format } = useLanguage()
  const words = text.timetable
  return (
    <Stack gap="xs">
      <Notice tone={cost.cancelled > 0 ? 'warning' : 'plain'} data-testid="closing">
        {cost.cancelled > 0 ? words.closing(format.number(cost.cancelled), format.number(cost.places)) : words.closingNone}
      </Notice>
      {cost.staying > 0 && <p className={style.soft} data-testid="staying">{words.staying(format.number(cost.staying))}</p>}
      {day.off?.own && <p className={style.soft}>{words.replaces(day.off.name_fa)}</p>}
    </Stack>
  )
}
