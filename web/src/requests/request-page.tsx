import { Anchor, Button, Paper } from '@mantine/core'
import { useEffect } from 'react'
import { Link } from 'wouter'
import { serverNow } from '../api/clock'
import type { Me } from '../api/types'
import type { Text } from '../language/fa'
import { useLanguage } from '../language/language'
import { seesCitizens } from '../pages'
import { PassesCard } from '../passes/passes-card'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { MaskedNumber } from './masked-number'
import { Num } from '../ui/number'
import { Player } from '../ui/player'
import { useCategory } from './use-category'
import { Actions } from './actions'
import { Duplicates } from './duplicates'
import { History } from './history'
import { districtName, isInWork, mayHandle, mayRelease } from './names'
import { Pictures } from './pictures'
import { ReleaseCard } from './release'
import { type CityRequest, joinParts, type RequestDetail, requestPictureUrl, requestSoundUrl, useRequest, useRequestAction } from './queries'
import { RequestRow, StateTags } from './request-row'
import style from './requests.module.css'

/** One request: what was said, what was done, and what may be done with it. */
export default function RequestPage({ me, id }: { me: Me; id: number }) {
  const { text, format } = useLanguage()
  const { data: detail, error } = useRequest(id)
  const tracking = detail ? format.ticket(detail.request.tracking) : ''
  useEffect(() => {
    document.title = `${text.requests.one(tracking)} · ${text.brandNumber}`
  }, [tracking, text])

  return (
    <div>
      <Header me={me} page="requests">
        <Anchor component={Link} href="/requests">{text.requests.back}</Anchor>
      </Header>
      <main className={style.request}>
        <ErrorNotice error={error} />
        {!detail && !error && <Loading />}
        {detail && (
          <>
            <div className={style.side}>
              <About me={me} detail={detail} />
              {mayHandle(me.role) && <Actions key={`${id}-${detail.request.state}`} detail={detail} />}
            </div>
            <div className={style.side}>
              <Parts of={detail.request} parts={detail.parts} may={mayHandle(me.role)} />
              <PassesCard key={`passes-${id}`} side="requests" id={id} written={detail.request.written} may={mayHandle(me.role) && isInWork(detail.request)} />
              <History steps={detail.steps} />
              {mayRelease(me.role) && !detail.part_of && <ReleaseCard key={id} detail={detail} />}
              <Duplicates detail={detail} may={mayHandle(me.role)} />
            </div>
          </>
        )}
      </main>
    </div>
  )
}

/** Of what is split; nobody has begun on any: it may be one again. */
function Parts({ of, parts, may }: { of: CityRequest; parts: CityRequest[]; may: boolean }) {
  const { text } = useLanguage()
  const joining = useRequestAction(() => joinParts(of.id))
  if (parts.length === 0) return null
  const untouched = of.state === 'split' && parts.every(({ state, replied_at }) => ['new', 'referred'].includes(state) && !replied_at)
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="parts-title" data-testid="parts">
      <h2 id="parts-title">{text.requests.parts}</h2>
      <ul className={style.rows}>{parts.map((part) => <RequestRow key={part.id} request={part} />)}</ul>
      <ErrorNotice error={joining.error} />
      {may && untouched && (
        <Button variant="default" loading={joining.isPending} onClick={() => joining.mutate(undefined)} data-testid="join">{text.requests.join}</Button>
      )}
    </Paper>
  )
}

/** The program that brought it, and the number that it named. */
function broughtBy({ request, brought_by }: RequestDetail, words: Text['requests'], masked: boolean): Fact[] {
  if (!brought_by) return []
  const named: Fact[] = brought_by.contact
    ? [[words.contact, <MaskedNumber key="c" of="request" id={request.id} number={brought_by.contact} masked={masked} />]]
    : []
  return [[words.program, brought_by.program], ...named]
}

function About({ me, detail }: { me: Me; detail: RequestDetail }) {
  const language = useLanguage()
  const category = useCategory()
  const { text, format } = language
  const { request, duplicate_of, part_of } = detail
  const words = text.requests
  const facts: Fact[] = [
    [words.search, <Num key="t">{format.ticket(request.tracking)}</Num>],
    [words.reported, [format.longDate(request.made_at), format.time(request.made_at), format.age(request.made_at)].join(text.comma)],
    [words.number, request.number ? <MaskedNumber key="n" of="request" id={request.id} number={request.number} masked={seesCitizens(me)} /> : words.noNumber],
    ...broughtBy(detail, words, seesCitizens(me)),
    [words.language, words.languages[detail.language as keyof typeof words.languages]],
  ]
  const within = (by: string, done: boolean, note?: string) =>
    [format.longDate(by), format.time(by), note ?? (!done && Date.parse(by) < serverNow() && words.late)].filter(Boolean).join(text.comma)
  if (request.answer_by) {
    const answered = request.answered_at !== null || !isInWork(request)
    facts.push([words.answerBy, within(request.answer_by, answered, request.answered_at === null ? undefined : words.answered)])
  }
  if (request.solve_by) facts.push([words.solveBy, within(request.solve_by, !isInWork(request))])
  if (detail.place?.words) facts.push([words.place, detail.place.words])
  if (detail.place?.latitude != null && detail.place.longitude != null) {
    facts.push([words.point, <Num key="p">{`${detail.place.latitude.toFixed(5)}, ${detail.place.longitude.toFixed(5)}`}</Num>])
  }
  if (request.department) facts.push([words.department, language.name(request.department)])
  return (
    <Paper withBorder component="section" className={style.card} data-testid="facts" data-state={request.state}>
      <h2>{category(request.category)}{text.comma}{districtName(language, request.district)}</h2>
      <div className={style.tags} role="status"><StateTags request={request} /></div>
      {part_of && (
        <p className={style.plainLine} data-testid="part-of">
          {words.partOf} <Link href={`/requests/${part_of.id}`}><Num>{format.ticket(part_of.tracking)}</Num></Link>
        </p>
      )}
      {duplicate_of && (
        <p className={style.plainLine}>
          {words.duplicateOf} <Link href={`/requests/${duplicate_of.id}`}><Num>{format.ticket(duplicate_of.tracking)}</Num></Link>
        </p>
      )}
      {request.written && <p className={style.said} dir="auto">{request.written}</p>}
      {request.spoken && (
        <div>
          <Player
            src={requestSoundUrl(request.id)} label={text.requests.player(format.ticket(request.tracking))} broken={text.requests.broken} testId="sound"
          />
          <p className={style.soft}>{text.requests.heard}</p>
        </div>
      )}
      <Pictures pictures={detail.pictures} url={(picture) => requestPictureUrl(request.id, picture)} />
      {request.voice_deleted && <p className={style.soft}>{text.requests.voiceDeleted}</p>}
      <Facts facts={facts} inLines />
    </Paper>
  )
}
