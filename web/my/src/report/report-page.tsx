import { useEffect, useRef, useState } from 'preact/hooks'
import { askCategories, knownCategories } from '../api/categories'
import { number } from '../api/session'
import type { Category } from '../api/types'
import type { Report } from '../kept/report'
import { digits } from '../language/format'
import { language, named, problemText, text } from '../language/language'
import { Call } from '../ui/call'
import { Field } from '../ui/field'
import { Head } from '../ui/head'
import { Icon } from '../ui/icon'
import { late } from '../ui/late'
import { go } from '../ui/router'
import { ICONS } from './icons'
import { Near } from './near'
import { Place } from './place'
import { useDraft } from './use-draft'

const Pictures = late(() => import('./pictures').then((part) => part.Pictures))
const VoiceNote = late(() => import('./voice').then((part) => part.VoiceNote))
const LONGEST_TEXT = 1500

type Missing = Partial<Record<'category' | 'text' | 'place', string>>

/** What must be there before it is finished. */
function missing(report: Report, spoken: boolean): Missing {
  return {
    ...(report.category === null ? { category: text.report.mustCategory } : {}),
    ...(report.text.trim() || spoken ? {} : { text: text.report.mustText }),
    ...(report.point || report.place.trim() ? {} : { place: text.report.mustPlace }),
  }
}

export function ReportPage({ of }: { of: string }) {
  const draft = useDraft(of)
  const [categories, setCategories] = useState<Category[]>(knownCategories)
  const [wrong, setWrong] = useState<Missing>({})
  const [unkept, setUnkept] = useState(false)
  const makingRef = useRef<Promise<void>>(Promise.resolve())
  useEffect(() => void askCategories().then(setCategories, () => undefined), [])
  if (!draft) return <p role="status">{text.wait}</p>
  const { report, change, saved } = draft
  const category = categories.find(({ id }) => id === report.category)
  const send = async (event: Event) => {
    event.preventDefault()
    await makingRef.current.catch(() => undefined) // a voice is at its end, pictures are small
    const spoken = await import('../kept/store').then(({ voiceOf }) => voiceOf(report.key)).catch(() => null)
    const lacks = missing(report, spoken !== null)
    setWrong(lacks)
    const [first] = Object.keys(lacks)
    if (first) {
      document.querySelector<HTMLElement>(`[name="${first}"]`)?.focus()
      return
    }
    try {
      await makingRef.current
      change({ language, answers: (category?.questions ?? []).map((_, index) => report.answers[index] ?? '') })
      await saved()
      const { finish } = await import('../kept/store')
      await finish(report.key, number())
    } catch {
      setUnkept(true)
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
      {report.problem ? <p class="news cancelled">{problemText(report.problem)}</p> : null}
      <Pictures.Part {...kept} />
      <Categories categories={categories} report={report} change={change} wrong={wrong.category ?? ''} />
      {category?.urgent ? <Call why={text.report.urgent} /> : null}
      {category?.questions.map((question, index) => (
        <Field key={`${category.id}-${index}`} label={question[language]}>
          <input maxLength={200} value={report.answers[index] ?? ''} onInput={(event) => change({ answers: answered(report.answers, index, event.currentTarget.value) })} />
        </Field>
      ))}
      <Field label={text.report.textLead} wrong={wrong.text}>
        <textarea name="text" rows={4} maxLength={LONGEST_TEXT} value={report.text} onInput={(event) => change({ text: event.currentTarget.value })} />
      </Field>
      <VoiceNote.Part {...kept} />
      <Place report={report} change={change} wrong={wrong.place ?? ''} />
      <Near report={report} />
      {category ? <p class="soft">{text.report.times(span(category.answer), span(category.solve))}</p> : null}
      {unkept || draft.full ? <p class="wrong" role="alert">{text.report.noRoom}</p> : null}
      <button class="large">{text.report.send}</button>
    </form>
  )
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
    <fieldset>
      <legend>{text.report.category}</legend>
      {categories.length ? null : <p class="news">{text.report.noCategories}</p>}
      <div class="choices">
        {categories.map((one) => (
          <label key={one.id} class={one.id === report.category ? 'choice chosen' : 'choice'}>
            <input type="radio" name="category" checked={one.id === report.category} onChange={() => change({ category: one.id, answers: [] })} />
            <Icon of={ICONS[one.icon] ?? []} />{named(one, 'name')}
          </label>
        ))}
      </div>
      {wrong ? <p class="wrong">{wrong}</p> : null}
    </fieldset>
  )
}
