import { cityTime } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { useLanguage } from '../language/language'
import { Dialog } from '../ui/dialog'
import { ErrorNotice } from '../ui/error-notice'
import { useNow } from '../ui/use-now'
import { Stretches, Sums } from './day-parts'
import { usePersonDay, type LiveDesk } from './queries'

interface Props {
  personId: number
  person: LiveDesk['person']
  onClose: () => void
}

/** What a person did today at the desk: the sum of each, and every stretch in the order of time. */
export function DayDialog({ personId, person, onClose }: Props) {
  const { text } = useLanguage()
  const words = text.control
  const { data, error } = usePersonDay(personId, cityTime(serverNow()).day)
  const now = useNow(true)
  const spans = data?.spans ?? []
  return (
    <Dialog opened onClose={onClose} title={words.dayOf(person)} size="lg" closeButtonProps={{ 'aria-label': text.deskList.close }}>
      <ErrorNotice error={error} />
      {data && spans.length === 0 && <p data-testid="day-nothing">{words.dayNothing}</p>}
      {spans.length > 0 && <Sums spans={spans} now={now} />}
      {spans.length > 0 && <Stretches spans={spans} now={now} />}
    </Dialog>
  )
}
