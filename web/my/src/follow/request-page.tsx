import type { Detail } from '../api/types'
import { useAnswer } from '../kept/use-answer'
import { digits, moment, until } from '../language/format'
import { language, named, text } from '../language/language'
import { stateOfMine } from '../language/states'
import { Head } from '../ui/head'
import { Link } from '../ui/link'
import { Standing } from '../ui/standing'
import { Rating } from './rating'
import { Question } from './question'
import type { Heard } from './saying'
import { Sealed } from './sealed'
import { Solved } from './solved'

/** One of my requests: who has it, until when, what was done, and whether it is solved. */
export function RequestPage({ tracking }: { tracking: string }) {
  const answer = useAnswer<Detail>(`/requests/${tracking}`)
  const { said } = answer
  return (
    <>
      <Head name={text.requests.one(digits(tracking))} />
      <Standing answer={answer} />
      {said ? <Shown request={said} put={answer.put} again={answer.again} /> : null}
      <p><Link to="requests">{text.requests.title}</Link></p>
    </>
  )
}

interface Props extends Heard {
  request: Detail
}

function Shown({ request, put, again }: Props) {
  return (
    <>
      {request.joined ? <p class="news">{text.requests.joined}</p> : null}
      <p class="lead">{named(request, 'category')}: <b data-testid="state">{stateOfMine(request)}</b></p>
      {request.joined && request.reply ? <Reply reply={request.reply} /> : null}
      <Question request={request} put={put} again={again} />
      {request.asked ? <Answered request={request} /> : null}
      <Solved request={request} put={put} again={again} />
      {request.may_rate ? <Rating request={request} put={put} again={again} /> : null}
      <Facts request={request} />
      <Pictures title={text.requests.pictures} pictures={request.pictures.filter(({ kind }) => !request.asked || kind !== 'evidence')} />
      <section aria-labelledby="history">
        <h2 id="history">{text.requests.history}</h2>
        <ol class="facts">
          {request.steps.map(({ at, step, note }, index) => (
            <li key={index}><b>{text.requests.step[step]}</b>
              {note ? <p class="words"><bdi>{note}</bdi></p> : null}
              <span class="soft">{moment(at)}</span></li>
          ))}
        </ol>
        <Sealed request={request} />
      </section>
    </>
  )
}

function Facts({ request }: { request: Detail }) {
  const department = request[`department_${language}`]
  const facts: [string, string | null][] = [
    [text.requests.department, department],
    [text.requests.answerBy, request.answer_by && until(request.answer_by)],
    [text.requests.solveBy, request.solve_by && until(request.solve_by)],
    [text.requests.reported, moment(request.reported_at)],
    [text.report.textLead, request.written],
    [text.report.voice, request.spoken ? text.requests.spoken : null],
    [text.requests.place, request.place],
    [text.requests.point, request.latitude === null ? null : digits([request.latitude, request.longitude ?? 0].map((each) => each.toFixed(5)).join(', '))],
  ]
  return (
    <dl>
      {facts.map(([name, said]) => (said ? <div key={name}><dt>{name}</dt><dd class="words"><bdi>{said}</bdi></dd></div> : null))}
    </dl>
  )
}

/** What the city says was done, and shows of it: whoever is asked whether it is solved sees that first. */
function Answered({ request: { reply, pictures } }: { request: Detail }) {
  return (
    <>
      <Reply reply={reply} />
      <Pictures title={text.requests.kinds.evidence} pictures={pictures.filter(({ kind }) => kind === 'evidence')} />
    </>
  )
}

const Reply = ({ reply }: { reply: string }) => <p class="words"><b>{text.requests.reply}</b> <bdi>{reply}</bdi></p>

function Pictures({ title, pictures }: { title: string; pictures: Detail['pictures'] }) {
  if (!pictures.length) return null
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul class="pictures whole">
        {pictures.map(({ id, kind, width, height }, index) => (
          <li key={id}><figure><img src={`/api/v1/my/pictures/${id}`} width={width} height={height} loading="lazy" alt={text.report.picture(digits(index + 1))} />
            <figcaption class="soft">{text.requests.kinds[kind]}</figcaption></figure></li>
        ))}
      </ul>
    </section>
  )
}
