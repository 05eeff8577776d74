import { serverNow } from '../api/clock'
import { cityTime } from '../language/city-time'
import { useLanguage } from '../language/language'
import { Dialog } from '../ui/dialog'
import { ErrorNotice } from '../ui/error-notice'
import { Num } from '../ui/number'
import { useBreakWord } from '../ui/use-desk-words'
import { useNow } from '../ui/use-now'
import { usePersonDay, type LiveDesk, type Span } from './queries'
import style from './control.module.css'

interface Props {
  personId: number
  person: LiveDesk['person']
  onClose: () => void
}

/** What a person did today at the desk, in the order of time. */
export function DayDialog({ personId, person, onClose }: Props) {
  const { text, format } = useLanguage()
  const words = text.control
  const breakWord = useBreakWord()
  const { data, error } = usePersonDay(personId, cityTime(serverNow()).day)
  const now = useNow(true)
  const spans = data?.spans ?? []
  const lasted = ({ since, until }: Span) => (until ? Date.parse(until) : now) - Date.parse(since)
  const sum = (did: Span['did']) => spans.filter((span) => span.did === did).reduce((all, span) => all + lasted(span), 0)
  const talks = spans.filter(({ did }) => did === 'talked').length
  return (
    <Dialog opened onClose={onClose} title={words.dayOf(person)} size="lg" closeButtonProps={{ 'aria-label': text.deskList.close }}>
      <ErrorNotice error={error} />
      {data && <p>{words.dayTotals(format.number(talks), format.duration(sum('talked')), format.duration(sum('paused')))}</p>}
      {spans.length > 0 && (
        <table className={style.day} data-testid="person-day">
          <thead>
            <tr><th scope="col">{words.dayFrom}</th><th scope="col">{words.dayUntil}</th><th scope="col">{words.dayWhat}</th><th scope="col">{words.dayLong}</th></tr>
          </thead>
          <tbody>
            {spans.map((span) => (
              <tr key={`${span.did} ${span.since}`}>
                <td><Num>{format.time(span.since)}</Num></td>
                <td>{span.until ? <Num>{format.time(span.until)}</Num> : words.dayNow}</td>
                <td>
                  {span.did === 'paused' && span.reason ? breakWord(span.reason) : words.dayTalk}{' '}
                  {span.ticket && <Num>{format.ticket(span.ticket)}</Num>}
                </td>
                <td><Num>{format.duration(lasted(span))}</Num></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  )
}
