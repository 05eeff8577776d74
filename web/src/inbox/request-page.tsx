import { Anchor, Paper } from '@mantine/core'
import { Link } from 'wouter'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { PassesCard } from '../passes/passes-card'
import { districtName, dueDay } from '../requests/names'
import { Pictures } from '../requests/pictures'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Num } from '../ui/number'
import { Player } from '../ui/player'
import { useTitle } from '../ui/use-title'
import { Actions } from './actions'
import { categoryName, isWithUs } from './names'
import { type InboxDetail, type InboxStep, pictureUrl, soundUrl, useInboxRequest } from './queries'
import { Standing } from './standing'
import style from '../requests/requests.module.css'

/** One request of my department's: what was said, what was done, and what we do. */
export default function InboxRequestPage({ me, id }: { me: Me; id: number }) {
  const { text, format } = useLanguage()
  const { data: detail, error } = useInboxRequest(id)
  useTitle(text.requests.one(detail ? format.ticket(detail.request.tracking) : ''))
  return (
    <div>
      <Header me={me} page="inbox"><Anchor component={Link} href="/inbox">{text.inbox.back}</Anchor></Header>
      <main className={style.request}>
        <ErrorNotice error={error} />
        {!detail && !error && <Loading />}
        {detail && (
          <>
            <div className={style.side}>
              <About detail={detail} />
              <Actions key={detail.request.state === 'replied' ? 'solved' : 'work'} detail={detail} />
            </div>
            <div className={style.side}>
              <PassesCard key={id} side="inbox" id={id} written={detail.request.written} may={isWithUs(detail.request)} />
              <History steps={detail.steps} />
            </div>
          </>
        )}
      </main>
    </div>
  )
}

function About({ detail }: { detail: InboxDetail }) {
  const language = useLanguage()
  const { text, format } = language
  const { request, place } = detail
  const words = text.requests
  const facts: Fact[] = [
    [words.search, <Num key="t">{format.ticket(request.tracking)}</Num>],
    [words.reported, [format.longDate(request.made_at), format.time(request.made_at), format.age(request.made_at)].join(text.comma)],
  ]
  if (request.answer_by) facts.push([words.answerBy, [format.longDate(request.answer_by), format.time(request.answer_by)].join(text.comma)])
  if (place?.words) facts.push([words.place, place.words])
  if (place?.latitude != null && place.longitude != null) {
    facts.push([words.point, <Num key="p">{`${place.latitude.toFixed(5)}, ${place.longitude.toFixed(5)}`}</Num>])
  }
  facts.push([text.inbox.evidence, text.inbox.evidences[request.evidence]])
  return (
    <Paper withBorder component="section" className={style.card} data-testid="facts" data-state={request.state}>
      <h2>{categoryName(language, request)}{text.comma}{districtName(language, request.district)}</h2>
      <div className={style.tags} role="status"><Standing request={request} /></div>
      {request.part_of && <p className={style.soft} data-testid="part-of">{text.inbox.partOf(format.ticket(request.part_of))}</p>}
      {request.written && <p className={style.said} dir="auto">{request.written}</p>}
      {request.spoken && (
        <div>
          <Player src={soundUrl(request.id)} label={words.player(format.ticket(request.tracking))} broken={words.broken} testId="sound" />
          <p className={style.soft}>{words.heard}</p>
        </div>
      )}
      {request.voice_deleted && <p className={style.soft}>{words.voiceDeleted}</p>}
      <Pictures pictures={detail.pictures} url={(picture) => pictureUrl(request.id, picture)} />
      <Facts facts={facts} inLines />
    </Paper>
  )
}

function History({ steps }: { steps: InboxStep[] }) {
  const language = useLanguage()
  const { text, format } = language
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="history-title" data-testid="history">
      <h2 id="history-title">{text.requests.history}</h2>
      <ol className={style.steps}>
        {steps.map(({ id, step, at, by, name, note, due_at }) => (
          <li key={id} data-testid="step" data-step={step}>
            <strong>{text.requests.step[step]}</strong>
            {due_at && <span className={style.soft}> {text.requests.due(dueDay(language, due_at))}</span>}
            {note && <p className={style.said} dir="auto">{note}</p>}
            <span className={style.soft}>{name || text.inbox.by[by]}{text.comma}{format.moment(at)}</span>
          </li>
        ))}
      </ol>
    </Paper>
  )
}
