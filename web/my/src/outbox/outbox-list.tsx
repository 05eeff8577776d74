import { useCallback } from 'preact/hooks'
import { knownCategories } from '../api/categories'
import { number } from '../api/session'
import type { Report } from '../kept/report'
import { allReports, drop, mend, resend, takeOver, voiceOf } from '../kept/store'
import { useLive } from '../kept/use-live'
import { digits, moment } from '../language/format'
import { named, problemText, text } from '../language/language'
import { Link } from '../ui/link'
import { go } from '../ui/router'
import { useNumber } from '../ui/use-network'
import { goOut } from './run'
import { NEAR } from './send'

/** What of this phone's reports is not done with: drafts, what waits, what was refused; and, unless it is `unsent` alone, what has just arrived. */
export function OutboxList({ unsent = false }: { unsent?: boolean }) {
  const reports = useLive(allReports)?.filter(({ state }) => !unsent || state !== 'arrived')
  const signedIn = useNumber()
  if (!reports?.length) return null
  const waits = reports.some(({ state }) => state === 'waiting')
  return (
    <section aria-labelledby="outbox">
      <h2 id="outbox">{unsent ? text.outbox.unsent(digits(reports.length)) : text.outbox.title}</h2>
      {waits && !signedIn ? <p class="news">{text.outbox.signIn} <Link to="sign-in">{text.signIn.title}</Link></p> : null}
      <ul class="cards" aria-live="polite">
        {reports.sort((one, other) => other.changedAt - one.changedAt).map((report) => <Row key={report.key} report={report} />)}
      </ul>
    </section>
  )
}

const Row = ({ report }: { report: Report }) => <li data-testid="outbox-row" data-state={report.state}><Kept report={report} /></li>

/** One of them: what it is, how it stands, and what may be done. */
export function Kept({ report }: { report: Report }) {
  const voice = useLive(useCallback(() => voiceOf(report.key), [report.key]))
  return (
    <>
      <b>{title(report)}</b>
      <p class="soft">{report.text.slice(0, 80)}</p>
      <p class="soft">{voice ? text.outbox.voice(digits(voice.seconds)) : ''}</p>
      <p role="status">{standing(report)}</p>
      <Buttons report={report} />
    </>
  )
}

function title({ objects, category: of }: Report): string {
  if (objects) return text.outbox.objection(digits(objects.tracking))
  const category = knownCategories().find(({ id }) => id === of)
  return category ? named(category, 'name') : text.outbox.untitled
}

function standing({ state, problem, notBefore, tracking, objects }: Report): string {
  if (state === 'draft') return text.outbox.draft
  if (state === 'arrived') return objects ? text.outbox.objected : text.outbox.arrived(digits(tracking))
  if (state === 'refused') return `${text.outbox.refused}: ${problemText(problem)}`
  if (!problem || problem === 'away') return text.outbox.waiting
  return `${problemText(problem)} ${text.outbox.held(moment(new Date(notBefore).toISOString()))}`
}

/** The city has been told otherwise, or has said more, since this objection was written: it cannot be mended. */
const OBJECTION_OVER = ['answer-over', 'wrong-state', 'not-found']

function Buttons({ report: { key, state, problem, tracking, objects } }: { report: Report }) {
  const form = objects ? `requests/${objects.tracking}` : `report/${key}`
  const intoForm = async () => {
    await mend(key)
    go(form)
  }
  const away = () => {
    if (confirm(state === 'waiting' ? text.outbox.dropWaitingSure : text.outbox.dropSure)) void drop(key)
  }
  const asMine = async () => {
    await takeOver(key)
    await goOut()
  }
  const allTheSame = async () => {
    await resend(key)
    await goOut()
  }
  const finished = state === 'refused' || state === 'waiting'
  const over = objects !== undefined && OBJECTION_OVER.includes(problem)
  return (
    <div class="row">
      {state === 'draft' ? <Link to={form} class="button quiet">{text.outbox.go}</Link> : null}
      {state === 'arrived' ? <Link to={`requests/${tracking}`} class="button quiet">{text.requests.one(digits(tracking))}</Link> : null}
      {state === 'arrived' ? <button type="button" class="quiet" onClick={() => void drop(key)}>{text.outbox.seen}</button> : null}
      {problem === 'other-number' ? <button type="button" class="quiet" onClick={() => void asMine()}>{text.outbox.mine}</button> : null}
      {problem === NEAR ? <button type="button" class="quiet" onClick={() => void allTheSame()}>{text.outbox.allTheSame}</button> : null}
      {state === 'waiting' && number() ? <button type="button" class="quiet" onClick={() => void goOut()}>{text.outbox.now}</button> : null}
      {finished && !over ? <button type="button" class="quiet" onClick={() => void intoForm()}>{problem === NEAR ? text.outbox.look : text.outbox.mend}</button> : null}
      {over ? <Link to={form} class="button quiet">{text.requests.one(digits(objects.tracking))}</Link> : null}
      {finished || state === 'draft' ? <button type="button" class="quiet" onClick={away}>{text.outbox.drop}</button> : null}
    </div>
  )
}
