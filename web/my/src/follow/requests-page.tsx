import { ask } from '../api/ask'
import type { Followed, Mine } from '../api/types'
import { useAnswer } from '../kept/use-answer'
import { digits, moment } from '../language/format'
import { named, text } from '../language/language'
import { stateOfMine, stateOfOthers } from '../language/states'
import { Head } from '../ui/head'
import { late } from '../ui/late'
import { Link } from '../ui/link'
import { Standing } from '../ui/standing'

const Outbox = late(() => import('../outbox/outbox-list').then((part) => part.OutboxList))

/** What was reported by the number that is signed in. */
export function RequestsPage() {
  const answer = useAnswer<Mine[]>('/requests')
  const { said } = answer
  return (
    <>
      <Head name={text.requests.title} />
      <Outbox.Part unsent />
      <Standing answer={answer} />
      {said?.length === 0 ? <p>{text.requests.none}</p> : null}
      {said?.length ? <ul class="cards">{said.map((one) => <Row key={one.tracking} request={one} />)}</ul> : null}
      <Follows />
    </>
  )
}

/** What others have reported, and I am told of. */
function Follows() {
  const { said, again } = useAnswer<Followed[]>('/requests/followed')
  if (!said?.length) return null
  const leave = (tracking: string) => ask('DELETE', `/requests/${tracking}/follow`).catch(() => null).finally(again)
  return (
    <section aria-labelledby="followed">
      <h2 id="followed">{text.requests.followed}</h2>
      <ul class="cards">
        {said.map((one) => (
          <li key={one.tracking}>
            <span class="tag">{stateOfOthers(one.state)}</span>
            <h3>{named(one, 'category')}</h3>
            <p class="soft">{text.requests.one(digits(one.tracking))}</p>
            {one.reply ? <p><bdi>{one.reply}</bdi></p> : null}
            <div class="row"><button type="button" class="quiet" onClick={() => void leave(one.tracking)}>{text.requests.leave}</button></div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Row({ request }: { request: Mine }) {
  return (
    <li>
      <span class={request.asked ? 'tag live' : 'tag'}>{stateOfMine(request)}</span>
      <h2><Link to={`requests/${request.tracking}`}>{named(request, 'category')}</Link></h2>
      <p class="soft">{text.requests.one(digits(request.tracking))} · {moment(request.reported_at)}</p>
    </li>
  )
}
