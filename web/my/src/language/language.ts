import type { Code } from '../../../shared/language/locale'
import { fa, type Words } from './words.fa'

const KEPT = 'hotline137.my.language'

/** All that is read, in the language of this page; another language is another loading of it. */
export let text: Words = fa
export let language: Code = 'fa'

/** `?lang=en` says so, as on the public pages; else what was chosen here before. */
export async function beginInLanguage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('lang')
  if (asked === 'en' || asked === 'fa') localStorage.setItem(KEPT, asked)
  if (localStorage.getItem(KEPT) !== 'en') return
  const root = document.documentElement
  text = (await import('./words.en')).en
  language = 'en'
  root.lang = 'en'
  root.dir = 'ltr'
}

export const otherLanguage = (): Code => (language === 'fa' ? 'en' : 'fa')

/** A name that the API gives in both. */
export const named = <Field extends string>(of: Record<`${Field}_${Code}`, string>, field: Field): string => of[`${field}_${language}`]

/** What went wrong, by the API's stable code. */
export function problemText(code: string): string {
  const known: Record<string, string> = text.problem
  return known[code] ?? text.problem.unknown
}
