import { createContext, useContext } from 'react'
import { type Code, LOCALES } from '../../shared/language/locale'
import { retryImport } from '../api/retry-import'
import { fa, type Text } from './fa'
import { type Format, makeFormat } from './format'
import { hoursIn } from './hours'

export interface Language {
  code: Code
  direction: 'rtl' | 'ltr'
  text: Text
  format: Format
  /** What the city calls it, in this language. */
  name: <T extends string | null>(named: { name_fa: T; name_en: T }) => T
  /** An office has its name in both languages. */
  office: (official: { office_fa: string; office_en: string }) => string
  hours: ReturnType<typeof hoursIn>
}

const persianFormat = makeFormat(LOCALES.fa, fa.comma)

const persian: Language = {
  code: 'fa',
  direction: 'rtl',
  text: fa,
  format: persianFormat,
  name: (named) => named.name_fa,
  office: (official) => official.office_fa,
  hours: hoursIn(fa, persianFormat),
}

async function english(): Promise<Language> {
  const { en } = await retryImport(() => import('./en'))
  const format = makeFormat(LOCALES.en, en.comma)
  return {
    code: 'en',
    direction: 'ltr',
    text: en,
    format,
    name: (named) => named.name_en,
    office: (official) => official.office_en,
    hours: hoursIn(en, format),
  }
}

/** Add a language here; everything else takes it from the context. Only the first one is there at once. */
export const languages: Record<Code, () => Promise<Language>> = { fa: () => Promise.resolve(persian), en: english }

/** The language, and how to change it. */
export const LanguageContext = createContext<[Language, (code: Code) => void]>([persian, () => undefined])

export const useLanguage = () => useContext(LanguageContext)[0]
