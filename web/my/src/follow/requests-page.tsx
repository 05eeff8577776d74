import type { Mine } from '../api/types'
import { useAnswer } from '../kept/use-answer'
import { digits, moment } from '../language/format'
import { named, text } from '../language/language'
import { Head } from '../ui/head'
import { Link } from '../ui/link'
import { Standing } from '../ui/standing'

/** What was reported by the number that is signed in. */
export function RequestsPage() {
  const answer = useAnswer<Mine[]>('/requests')
  const { said } = answer
  return (
    <>
      <Head name={text.requests.title} />
      <Standing answer={answer} />
      {said?.length === 0 ? <p>{text.requests.none}</p> : null}
      {said?.length ? <ul class="cards">{said.map((one) => <Row key={one.tracking} request={one} />)}</ul> : null}
    </>
  )
}

function Row({ request }: { request: Mine }) {
  return (
    <li>
      <span class={request.asked ? 'tag live' : 'tag'}>{text.requests.state[request.state]}</span>
      <h2><Link to={`requests/${request.tracking}`}>{named(request, 'category')}</Link></h2>
      <p class="soft">{text.requests.one(digits(request.tracking))} · {moment(request.reported_at)}</p>
    </li>
  )
}
