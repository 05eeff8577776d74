import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { number } from '../api/session'
import type { Detail } from '../api/types'
import { objection, type Report } from '../kept/report'
import { drop, finish, kept, objectionsTo } from '../kept/store'
import { useLive } from '../kept/use-live'
import { language, named, text } from '../language/language'
import { Kept } from '../outbox/outbox-list'
import { goOut } from '../outbox/run'
import { useDraft } from '../report/use-draft'
import { Field, Wrong } from '../ui/field'
import { late } from '../ui/late'
import { useSaying, type Heard } from './saying'

const Pictures = late(() => import('../report/pictures').then((part) => part.Pictures))

interface Props extends Heard {
  request: Detail
}

/** «Solved?»: yes, or no with a reason and perhaps pictures, which goes by the outbox, and is seen there to its end. */
export function Solved({ request, put, again }: Props) {
  const { tracking, replied_at } = request
  const fresh = useMemo(() => objection(language, tracking, replied_at ?? ''), [tracking, replied_at])
  const there = useLive(useCallback(() => kept(fresh.key), [fresh]))
  const { say, wrong, busy } = useSaying(tracking, { put, again })
  const [open, setOpen] = useState(false)
  const arrived = there?.state === 'arrived'
  const againRef = useRef(again)
  useEffect(() => {
    againRef.current = again
  })
  useEffect(() => {
    if (arrived) void drop(fresh.key).then(() => againRef.current())
  }, [arrived, fresh])
  const late = useLive(useCallback(() => objectionsTo(tracking), [tracking]))
    ?.filter(({ key, state }) => (key === fresh.key ? state === 'draft' && !request.asked : state !== 'arrived'))
  const stale = late?.map((report) => <Stale key={report.key} report={report} />)
  if (there && there.state !== 'draft') return <section class="news" data-testid="objection" data-state={there.state}><Kept report={there} /></section>
  if (!request.asked) return <>{stale}</>
  const confirm = () => void say('confirm', () => Promise.resolve({}), () => void drop(fresh.key))
  return (
    <>
      {stale}
      <section class="how" aria-labelledby="solved">
        <div>
          <h2 id="solved">{text.requests.asked}</h2>
          <div class="row">
            <button type="button" disabled={busy} onClick={confirm}>{text.requests.solved}</button>
            <button type="button" class="quiet" disabled={busy} aria-expanded={open || Boolean(there)} onClick={() => setOpen(true)}>{text.requests.unsolved}</button>
          </div>
          {open || there ? <Objection request={request} fresh={fresh} /> : null}
          <p class="wrong" role="alert">{wrong}</p>
        </div>
      </section>
    </>
  )
}

/** A «no» to an answer that is over: said from another telephone, or answered anew. Its words stay until they are thrown away. */
const Stale = ({ report }: { report: Report }) => (
  <section class="news" data-testid="stale-objection">
    {report.state === 'draft' ? (
      <>
        <p>{text.requests.staleObjection}</p>
        <p class="words"><bdi>{report.text}</bdi></p>
        <div class="row"><button type="button" class="quiet" onClick={() => void drop(report.key)}>{text.outbox.drop}</button></div>
      </>
    ) : <Kept report={report} />}
  </section>
)

/** Why not; of several parts, which. It is kept from its first letter and its first picture on. */
function Objection({ request: { parts }, fresh }: { request: Detail; fresh: Report }) {
  const draft = useDraft(fresh.key, fresh)
  const [wrong, setWrong] = useState('')
  const makingRef = useRef<Promise<void>>(Promise.resolve())
  if (!draft) return <p role="status">{text.wait}</p>
  const { report, change, saved, full } = draft
  const typed = (words: string) => {
    change({ text: words })
    setWrong('')
  }
  const objects = report.objects ?? { tracking: '', answer: '', parts: [] }
  const send = async (event: Event) => {
    event.preventDefault()
    setWrong(report.text.trim() ? '' : text.requests.whyMissing)
    if (!report.text.trim()) return
    try {
      await makingRef.current
      await saved()
      await finish(report.key, number())
    } catch {
      setWrong(text.report.noRoom)
      return
    }
    void goOut()
  }
  const keeps = {
    of: report.key,
    begin: async () => {
      change({})
      await saved()
    },
    making: (work: Promise<void>) => {
      makingRef.current = Promise.all([makingRef.current, work]).then(() => undefined)
    },
  }
  const means = (place: number) => {
    const others = objects.parts.filter((one) => one !== place)
    change({ objects: { ...objects, parts: others.length < objects.parts.length ? others : [...others, place] } })
  }
  return (
    <form onSubmit={(event) => void send(event)}>
      <Field label={text.requests.why} wrong={wrong}>
        <textarea rows={3} maxLength={500} value={report.text} onInput={(event) => typed(event.currentTarget.value)} />
      </Field>
      {parts.length ? (
        <fieldset>
          <legend>{text.requests.whichParts}</legend>
          {parts.map((part) => (
            <label key={part.place}>
              <input type="checkbox" checked={objects.parts.includes(part.place)} onChange={() => means(part.place)} />
              {named(part, 'category')}: <bdi>{part.reply}</bdi>
            </label>
          ))}
        </fieldset>
      ) : null}
      <Pictures.Part {...keeps} />
      <Wrong>{full ? text.report.noRoom : ''}</Wrong>
      <button>{text.requests.object}</button>
    </form>
  )
}
