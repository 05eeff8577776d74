import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { Tag } from '../ui/tag'

/** Why a registration stands where it stands. */
export function Reason({ registration }: { registration: Registration }) {
  const { text, format } = useLanguage()
  const { rounds_missed, attempts, last_outcome, not_before, state, why, moved_reason } = registration
  return (
    <>
      {why === 'moved-up' && <Tag tone="good">{text.line.movedUp(moved_reason)}</Tag>}
      {rounds_missed > 0 && (
        <Tag tone="apart">{text.line.roundsMissed(rounds_missed, format.number(rounds_missed))}</Tag>
      )}
      {attempts > 0 && (
        <Tag tone="quiet">
          {text.line.attempts(format.number(attempts))}
          {last_outcome && `${text.comma}${text.outcome[last_outcome]}`}
        </Tag>
      )}
      {not_before && state === 'waiting' && (
        <Tag tone="warning">{text.line.retryAt(format.moment(not_before))}</Tag>
      )}
    </>
  )
}
