import { Button, Paper } from '@mantine/core'
import type { Desk, Round } from '../api/types'
import { useNoRound } from '../desk/use-no-round'
import { useLanguage } from '../language/language'
import { useDeskPhone } from '../phone/desk-phone'
import { PhoneCheck } from '../phone/quality-parts'
import { ErrorNotice } from '../ui/error-notice'
import { useActions } from '../callbacks/use-actions'
import { serve } from './queries'
import style from './official.module.css'

/** Before the round: whose it is, when, and how many wait. */
export function SitDown({ desk, round }: { desk: Desk; round: Round | undefined }) {
  const { text, format, office, hours } = useLanguage()
  const { error, pending, may } = useActions()
  const phone = useDeskPhone()
  const none = useNoRound()
  const sit = round && may(true, 'serve', () => serve(round.id))
  if (!round) return <Paper withBorder className={style.sit}><h2>{none}</h2></Paper>
  return (
    <Paper withBorder className={style.sit} component="section" aria-label={text.round.choose}>
      <h2>{office(round.official)}</h2>
      <p>
        {format.longDate(round.starts_at)}{text.comma}
        {hours(round)}
        {text.comma}{text.line.waiting(format.number(round.counts.waiting))}
      </p>
      <p>{text.official.sitDownHelp}</p>
      <ErrorNotice error={error} />
      <Button className={style.sitDown} size="xl" onClick={sit} loading={pending !== null} data-testid="sit-down">
        {text.official.sitDown}
      </Button>
      <PhoneCheck phone={phone} inBrowser={desk.phone === 'browser'} />
    </Paper>
  )
}
