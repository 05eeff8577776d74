import { serverNow } from '../api/clock'
import type { Round } from '../api/types'
import { useLanguage } from '../language/language'
import { Tag } from '../ui/tag'
import { useNow } from '../ui/use-now'

/** Whether the notice went out, and whether that was a day ahead. */
export function NoticeState({ round }: { round: Round }) {
  const { text, format } = useLanguage()
  const { announce_at, day_ahead, notice } = round
  const at = Date.parse(announce_at)
  const now = useNow(at > serverNow())
  if (notice === 'never') return <Tag tone="warning">{text.rounds.noticeNever}</Tag>
  if (at > now) return <Tag tone="warning">{text.rounds.noticeAt(format.moment(announce_at))}</Tag>
  return <Tag tone={day_ahead ? 'good' : 'warning'}>{day_ahead ? text.rounds.noticeOut : text.rounds.noticeLate}</Tag>
}

/** Who speaks: the official, or a substitute, and who sits beside. */
export function Who({ round }: { round: Round }) {
  const { text, office } = useLanguage()
  return (
    <>
      {round.substitute && <span>{text.rounds.substitute(office(round.substitute))}</span>}
      {round.deputies.length > 0 && <span>{text.rounds.deputies(round.deputies.map(office).join(text.comma))}</span>}
    </>
  )
}
