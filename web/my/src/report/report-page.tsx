import { useEffect, useRef, useState } from 'preact/hooks'
import { CATEGORY_ICONS } from '../../../shared/icons/categories'
import { Refusal } from '../api/ask'
import { askCategories, knownCategories } from '../api/categories'
import { number } from '../api/session'
import type { Category } from '../api/types'
import type { Report } from '../kept/report'
import { digits } from '../language/format'
import { language, named, problemText, text } from '../language/language'
import { Call } from '../ui/call'
import { Choices, Field, Wrong } from '../ui/field'
import { Head } from '../ui/head'
import { Icon } from '../ui/icon'
import { late } from '../ui/late'
import { go } from '../ui/router'
import { Near } from './near'
import { Place } from './place'
import { useDraft } from './use-draft'

const Pictures = late(() => import('./pictures').then((part) => part.Pictures))
const VoiceNote = late(() => import('./voice').then((part) => part.VoiceNote))
const LONGEST_TEXT = 1500

type Part = 'category' | 'text' | 'place' | 'pictures' | 'voice'
type Errors = Partial<Record<Part, string>>

/** Which part of the form the codes of refusals are about; of any other code it is the whole form. */
const REFUSED: [RegExp, Part][] = [[/^(category|answers)-/, 'category'], [/^text-/, 'text'], [/^place-/, 'place'], [/^picture-/, 'pictures'], [/^voice-/, 'voice']]
const FIELDS: Partial<Record<keyof Report, Part>> = { category: 'category', answers: 'category', text: 'text', place: 'place', point: 'place', district: 'place' }

/** What must be there before it is finished. */
function missing(report: Report, spoken: boolean): Errors {
  return {
    ...(report.category === null ? { category: text.report.mustCategory } : {}),
    ...(report.text.trim() || spoken ? {} : { text: text.report.mustText }),
    ...(report.point || report.place.trim() ? {} : { place: text.report.mustPlace }),
  }
}

export function ReportPage({ of }: { of: string }) {
  const draft = useDraft(of)
  const [categories, setCategories] = useState<Category[]>(knownCategories)
  const [looked, setLooked] = useState(false)
  const [spoken, setSpoken] = useState(false)
  const [unkept, setUnkept] = useState('')
  const makingRef = useRef<Promise<void>>(Promise.resolve())
  useEffect(() => void askCategories().then(setCategories, () => undefined), [])
  if (!draft) return <p role="status">{text.wait}</p>
  const { report, change: write, saved } = draft
  const refused = REFUSED.find(([codes]) => codes.test(report.problem))?.[1]
  const wrong: Errors = { ...(refused ? { [refused]: problemText(report.problem) } : {}), ...(looked ? missing(report, spoken) : {}) }
  /** A refusal stands at its part of the form until that part is changed. */
  const change = (changed: Partial<Report>) => {
    const mends = refused && (Object.keys(changed) as (keyof Report)[]).some((field) => FIELDS[field] === refused)
    write(mends ? { ...changed, problem: '' } : changed)
  }
  const changedFile = (part: Part) => {
    if (refused === part) write({ problem: '' })
  }
  const category = categories.find(({ id }) => id === report.category)
  const send = async (event: Event) => {
    event.preventDefault()
    await makingRef.current.catch(() => undefined) // a voice is at its end, pictures are small
    const voice = await import('../kept/store').then(({ voiceOf }) => voiceOf(report.key)).catch(() => null)
    setSpoken(voice !== null)
    setLooked(true)
    const [first] = Object.keys(missing(report, voice !== null))
    if (first) {
      document.querySelector<HTMLElement>(`[name="${first}"]`)?.focus()
      return
    }
    const whole = { ...report, language, answers: (category?.questions ?? []).map((_, index) => report.answers[index] ?? '') }
    try {
      await makingRef.current
      write({ language, answers: whole.answers })
      await saved()
      const { finish } = await import('../kept/store')
      await finish(report.key, number())
    } catch {
      setUnkept(await sentAtOnce(whole))
      return
    }
    if ('storage' in navigator) void navigator.storage.persist().catch(() => false) // no phone that runs full throws it away
    go('', { instead: true })
    void import('../outbox/run').then(({ goOut }) => goOut())
  }
  const kept = {
    of: report.key,
    begin: async () => {
      change({})
      await saved()
    },
    making: (work: Promise<void>) => {
      makingRef.current = Promise.all([makingRef.current, work]).then(() => undefined)
    },
  }
  return (
    <form noValidate onSubmit={(event) => void send(event)}>
      <Head name={text.report.title} />
      {report.problem && !refused ? <p class="news cancelled" role="alert">{problemText(report.problem)}</p> : null}
      <Pictures.Part {...kept} wrong={wrong.pictures ?? ''} changed={() => changedFile('pictures')} />
      <Categories categories={categories} report={report} change={change} wrong={wrong.category ?? ''} />
      {category?.urgent ? <Call why={text.report.urgent} danger /> : null}
      {category?.questions.map((question, index) => (
        <Field key={`${category.id}-${index}`} label={question[language]}>
          <input maxLength={200} value={report.answers[index] ?? ''} onInput={(event) => change({ answers: answered(report.answers, index, event.currentTarget.value) })} />
        </Field>
      ))}
      <Field label={text.report.textLead} wrong={wrong.text}>
        <textarea name="text" rows={4} maxLength={LONGEST_TEXT} value={report.text} onInput={(event) => change({ text: event.currentTarget.value })} />
      </Field>
      <VoiceNote.Part {...kept} there={setSpoken} wrong={wrong.voice ?? ''} changed={() => changedFile('voice')} />
      <Place report={report} change={change} wrong={wrong.place ?? ''} />
      <Near report={report} />
      {category ? <p class="soft">{text.report.times(span(category.answer), span(category.solve))}</p> : null}
      <Wrong>{unkept || (draft.full ? text.report.noRoom : '')}</Wrong>
      <button class="large">{text.report.send}</button>
    </form>
  )
}

/** Send at once what the phone cannot keep, and show it; else return the error message. */
async function sentAtOnce(report: Report): Promise<string> {
  if (!number()) return `${text.report.noRoom} ${text.outbox.signIn}`
  try {
    const { sendUnkept } = await import('../outbox/send')
    go(`requests/${await sendUnkept(report)}`, { instead: true })
    return ''
  } catch (failed) {
    return failed instanceof Refusal ? problemText(failed.code) : text.report.noRoom
  }
}

const answered = (answers: string[], index: number, said: string): string[] =>
  Array.from({ length: Math.max(answers.length, index + 1) }, (_, at) => (at === index ? said : answers[at] ?? ''))

const span = ({ amount, unit }: Category['answer']): string => (unit === 'hours' ? text.report.hours : text.report.days)(digits(amount))

interface Choice {
  categories: Category[]
  report: Report
  change: (change: Partial<Report>) => void
  wrong: string
}

function Categories({ categories, report, change, wrong }: Choice) {
  return (
    <Choices legend={text.report.category} wrong={wrong}>
      {categories.length ? null : <p class="news">{text.report.noCategories}</p>}
      <div class="choices">
        {categories.map((one) => (
          <label key={one.id} class={one.id === report.category ? 'choice chosen' : 'choice'}>
            <input type="radio" name="category" checked={one.id === report.category} onChange={() => change({ category: one.id, answers: [] })} />
            <Icon of={CATEGORY_ICONS[one.icon] ?? []} />{named(one, 'name')}
          </label>
        ))}
      </div>
    </Choices>
  )
}
