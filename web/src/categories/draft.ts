import type { Category } from '../api/city'
import { count } from '../language/format'
import type { CategoryIn } from './queries'

/** A category as its form holds it: what is typed, and one department for each line. */
export interface Draft extends Omit<CategoryIn, 'key' | 'answer' | 'solve' | 'questions' | 'departments' | 'icon' | 'urgent' | 'active' | 'evidence'> {
  icon: string
  key: string
  urgent: boolean
  active: boolean
  evidence: Category['evidence']
  answer: { amount: string; unit: Category['answer']['unit'] }
  solve: { amount: string; unit: Category['solve']['unit'] }
  /** A question in each line, the same number in both. */
  questions: { fa: string; en: string }
  departments: { district: string; department: string }[]
}

export const draftOf = (category: Category | null): Draft => ({
  code: category?.code ?? '',
  name_fa: category?.name_fa ?? '',
  name_en: category?.name_en ?? '',
  icon: category?.icon ?? 'dots',
  key: String(category?.key ?? ''),
  urgent: category?.urgent ?? false,
  active: category?.active ?? true,
  evidence: category?.evidence ?? 'text',
  answer: { amount: String(category?.answer.amount ?? 2), unit: category?.answer.unit ?? 'days' },
  solve: { amount: String(category?.solve.amount ?? 10), unit: category?.solve.unit ?? 'days' },
  questions: {
    fa: (category?.questions ?? []).map((one) => one.fa).join('\n'),
    en: (category?.questions ?? []).map((one) => one.en).join('\n'),
  },
  departments: [
    ...(category?.departments ?? []).map((one) => ({ district: String(one.district), department: String(one.department_id) })),
    ...(category?.departments.some(({ district }) => district === 0) ? [] : [{ district: '0', department: '' }]),
  ].toSorted((one, other) => Number(one.district) - Number(other.district)),
})

const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean)

/** Whether each question is there in both languages. */
export const arePairs = ({ fa, en }: Draft['questions']) => lines(fa).length === lines(en).length

const MOST = { hours: 1000, days: 366 }

/** Whether a working time can be meant by it. */
export const isTime = ({ amount, unit }: Draft['answer']) => (count(amount) ?? Infinity) <= MOST[unit]

/** What the API is told. */
export function toCategory(draft: Draft): CategoryIn {
  const english = lines(draft.questions.en)
  return {
    ...draft,
    name_fa: draft.name_fa.trim(),
    name_en: draft.name_en.trim(),
    key: draft.key ? Number(draft.key) : null,
    answer: { amount: count(draft.answer.amount) ?? 0, unit: draft.answer.unit },
    solve: { amount: count(draft.solve.amount) ?? 0, unit: draft.solve.unit },
    questions: lines(draft.questions.fa).map((fa, place) => ({ fa, en: english[place] ?? '' })),
    departments: draft.departments
      .filter(({ department }) => department)
      .map(({ district, department }) => ({ district: Number(district), department_id: Number(department) })),
  }
}
