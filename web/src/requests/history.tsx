import { Paper } from '@mantine/core'
import { useLanguage } from '../language/language'
import { Latin, Num } from '../ui/number'
import { dueDay } from './names'
import type { Step } from './queries'
import style from './requests.module.css'

const BY_BODY: Step['step'][] = ['body_received', 'body_answered', 'body_done']
const BY_CITIZEN: Step['step'][] = ['reported', 'confirmed', 'denied', 'answered']

/** Who did what, when, the newest last. */
export function History({ steps }: { steps: Step[] }) {
  const { text } = useLanguage()
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="history-title" data-testid="history">
      <h2 id="history-title">{text.requests.history}</h2>
      <ol className={style.steps}>
        {steps.map((step) => <Item key={step.id} step={step} />)}
      </ol>
    </Paper>
  )
}

function Item({ step: { step, at, who, note, department, due_at, other, stars } }: { step: Step }) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.requests
  return (
    <li data-testid="step" data-step={step}>
      <strong>{words.step[step]}</strong>
      {other && <> <Num>{format.ticket(other)}</Num></>}
      {department && <span> {language.name(department)}</span>}
      {due_at && <span className={style.soft}> {words.due(dueDay(language, due_at))}</span>}
      {stars && <p className={style.said} data-testid="satisfied">{words.satisfied(format.number(stars))}</p>}
      {note && <p className={style.said} dir="auto">{note}</p>}
      <span className={style.soft}>{who ? <Latin>{who}</Latin> : <bdi>{BY_CITIZEN.includes(step) ? words.citizen : BY_BODY.includes(step) ? words.otherBody : words.itself}</bdi>}{text.comma}{format.moment(at)}</span>
    </li>
  )
}
