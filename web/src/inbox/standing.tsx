import { serverNow } from '../api/clock'
import { useLanguage } from '../language/language'
import { daysLeft, dueDay } from '../requests/names'
import { Tag } from '../ui/tag'
import { isWithUs } from './names'
import type { InboxRequest } from './queries'
import style from '../requests/requests.module.css'

/** Where it stands, and until when. */
export function Standing({ request }: { request: InboxRequest }) {
  const language = useLanguage()
  const { text, format } = language
  const { state, due_at, escalated_to, denials } = request
  const isLate = due_at !== null && Date.parse(due_at) < serverNow()
  return (
    <>
      <Tag tone={state === 'referred' ? 'warning' : state === 'replied' || state === 'asked' ? 'apart' : 'quiet'}>{text.inbox.state[state]}</Tag>
      {due_at && (
        <span className={style.due} data-late={isLate} data-testid="due">
          {(isLate ? text.inbox.late : text.requests.due)([dueDay(language, due_at), daysLeft(language, due_at)].join(text.comma))}
        </span>
      )}
      {request.answer_late && request.answer_by && (
        <span className={style.due} data-late data-testid="answer-late">{text.requests.answerLate(format.moment(request.answer_by))}</span>
      )}
      {escalated_to && isWithUs(request) && (
        <span className={style.due} data-late={escalated_to !== 'department'} data-testid="escalated">{text.inbox.escalated[escalated_to]}</span>
      )}
      {denials > 0 && <span className={style.due} data-late data-testid="denials">{text.requests.denials(format.number(denials))}</span>}
    </>
  )
}
