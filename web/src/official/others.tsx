import type { Stage } from '../api/types'
import { WrapUp } from '../desk/wrap-up'
import { useLanguage } from '../language/language'
import { RunningTime } from '../ui/number'
import { useBreakWord } from '../desks/use-desk-words'
import { useNow } from '../ui/use-now'
import style from './official.module.css'

/** The other desks of the round that take nobody now, and why: on a break, or in wrap-up after a conversation. */
export function Others({ stage, myDesk }: { stage: Stage; myDesk: number }) {
  const { text, format } = useLanguage()
  const breakWord = useBreakWord()
  const away = stage.places.map(({ desk }) => desk).filter((desk) => desk.id !== myDesk && (desk.break_reason ?? desk.wrap_up_since) !== null)
  const now = useNow(away.length > 0)
  return (
    <ul className={style.others} aria-label={text.breaks.others} hidden={away.length === 0} data-testid="others-away">
      {away.map((desk) => (
        <li key={desk.id}>
          {text.line.atDesk(format.number(desk.id))}:{' '}
          {desk.break_reason && desk.break_since
            ? <>{breakWord(desk.break_reason)} <RunningTime>{format.duration(now - Date.parse(desk.break_since))}</RunningTime></>
            : <WrapUp desk={desk} />}
        </li>
      ))}
    </ul>
  )
}
