import { Link } from 'wouter'
import { serverNow } from '../api/clock'
import { useLanguage } from '../language/language'
import { Num } from '../ui/number'
import { Tag } from '../ui/tag'
import { useCategory } from './use-category'
import { daysLeft, districtName, dueDay, isInWork, isJoined } from './names'
import type { CityRequest } from './queries'
import style from './requests.module.css'

interface RowProps {
  request: CityRequest
  /** A pointer or the keyboard is on it: a map beside the list marks its place. */
  onPoint?: () => void
}

/** A request in a list; the whole row leads to it. */
export function RequestRow({ request, onPoint }: RowProps) {
  const language = useLanguage()
  const categoryName = useCategory()
  const { text, format } = language
  const { id, tracking, category, district, written, spoken, voice_deleted, made_at, department } = request
  return (
    <li className={style.row} data-testid="request" data-id={id} data-state={request.state}>
      <span className={style.main}>
        <Link href={`/requests/${id}`} className={style.link} onMouseEnter={onPoint} onFocus={onPoint}>
          {categoryName(category)}{text.comma}{districtName(language, district)}
        </Link>
        <span className={style.words} dir="auto">{written || (spoken && text.requests.spoken) || (voice_deleted && text.requests.voiceDeleted)}</span>
      </span>
      <span className={style.tags}>
        <StateTags request={request} />
        {department && <span className={style.soft}>{language.name(department)}</span>}
      </span>
      <span className={style.when}>
        <Num>{format.ticket(tracking)}</Num>
        <span className={style.soft}>{format.aged(made_at)}</span>
      </span>
    </li>
  )
}

/** Where it stands, in a word or two. */
export function StateTags({ request }: { request: CityRequest }) {
  const language = useLanguage()
  const { text, format } = language
  const { state, overdue, denials, escalated_to } = request
  const due_at = request.due_at ?? (isInWork(request) ? request.solve_by : null)
  const isLate = overdue && due_at !== null && Date.parse(due_at) < serverNow()
  const day = (due: string) => [dueDay(language, due), isInWork(request) && daysLeft(language, due)].filter(Boolean).join(text.comma)
  return (
    <>
      <Tag tone={state === 'reopened' ? 'warning' : state === 'replied' ? 'apart' : state === 'closed' ? 'good' : 'quiet'}>
        {request.unanswered ? text.requests.unanswered : isJoined(request) ? text.requests.joined : text.requests.state[state]}
      </Tag>
      {due_at && (
        <span className={style.due} data-late={isLate} data-testid="due">
          {isLate ? text.requests.overdue(day(due_at)) : text.requests.due(day(due_at))}
        </span>
      )}
      {request.promised_by && request.promised_until && (
        <span className={style.due} data-late={overdue && !due_at && !request.answer_late} data-testid="promised">
          {text.requests.promisedBy(language.office(request.promised_by), day(request.promised_until))}
        </span>
      )}
      {request.answer_late && request.answer_by && (
        <span className={style.due} data-late data-testid="answer-late">{text.requests.answerLate(format.moment(request.answer_by))}</span>
      )}
      {(escalated_to === 'head' || escalated_to === 'supervisors') && (
        <span className={style.due} data-late data-testid="escalated">{text.requests.escalated[escalated_to]}</span>
      )}
      {request.part_of_id !== null && <span className={style.soft}>{text.requests.isPart}</span>}
      {denials > 0 && state !== 'closed' && <span className={style.due} data-late>{text.requests.denials(format.number(denials))}</span>}
    </>
  )
}
