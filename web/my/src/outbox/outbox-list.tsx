import { knownCategories } from '../api/categories'
import type { Report } from '../kept/report'
import { allReports, drop, mend, takeOver } from '../kept/store'
import { useLive } from '../kept/use-live'
import { digits, moment } from '../language/format'
import { named, problemText, text } from '../language/language'
import { Link } from '../ui/link'
import { go } from '../ui/router'
import { useNumber } from '../ui/use-network'
import { goOut } from './run'

/** What of this phone's reports is not done with: drafts, what waits, what was refused; and, unless it is `unsent` alone, what has just arrived. */
export function OutboxList({ unsent = false }: { unsent?: boolean }) {
  const reports = useLive(allReports)?.filter(({ state }) => !unsent || state !== 'arrived')
  const number = useNumber()
  if (!reports?.length) return null
  const waits = reports.some(({ state }) => state === 'waiting')
  return (
    <section aria-labelledby="outbox">
      <h2 id="outbox">{unsent ? text.outbox.unsent(digits(reports.length)) : text.outbox.title}</h2>
      {waits && !number ? <p class="news">{text.outbox.signIn} <Link to="sign-in">{text.signIn.title}</Link></p> : null}
      <ul class="cards" aria-live="polite">
        {reports.sort((one, other) => other.changedAt - one.changedAt).map((report) => <Row key={report.key} report={report} />)}
      </ul>
    </section>
  )
}

const Row = ({ report }: { report: Report }) => <li data-testid="outbox-row" data-state={report.state}><Kept report={report} /></li>

/** One of them: what it is, how it stands, and what may be done. */
export const Kept = ({ report }: { report: Report }) => (
  <>
    <b>{title(report)}</b>
    <p class="soft">{report.text.slice(0, 80)}</p>
    <p role="status">{standing(report)}</p>
    <Buttons report={report} />
  </>
)

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

function Buttons({ report: { key, state, problem, tracking, objects } }: { report: Report }) {
  const form = objects ? `requests/${objects.tracking}` : `report/${key}`
  const intoForm = async () => {
    await mend(key)
    go(form)
  }
  const away = () => {
    if (confirm(text.outbox.dropSure)) void drop(key)
  }
  const asMine = async () => {
    await takeOver(key)
    await goOut()
  }
  const held = state === 'refused' || (state === 'waiting' && problem !== '' && problem !== 'away')
  return (
    <div class="row">
      {state === 'draft' ? <Link to={form} class="button quiet">{text.outbox.go}</Link> : null}
      {state === 'arrived' ? <Link to={`requests/${tracking}`} class="button quiet">{text.requests.one(digits(tracking))}</Link> : null}
      {state === 'arrived' ? <button type="button" class="quiet" onClick={() => void drop(key)}>{text.outbox.seen}</button> : null}
      {problem === 'other-number' ? <button type="button" class="quiet" onClick={() => void asMine()}>{text.outbox.mine}</button> : null}
      {held ? <button type="button" class="quiet" onClick={() => void intoForm()}>{text.outbox.mend}</button> : null}
      {held || state === 'draft' ? <button type="button" class="quiet" onClick={away}>{text.outbox.drop}</button> : null}
    </div>
  )
}
