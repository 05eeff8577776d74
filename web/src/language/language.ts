import { createContext, useContext } from 'react'
import { retryImport } from '../api/retry-import'
import { fa, type Text } from './fa'
import { type Format, makeFormat } from './format'
import { hoursIn } from './hours'

export type Code = 'fa' | 'en'

export interface Language {
  code: Code
  direction: 'rtl' | 'ltr'
  text: Text
  format: Format
  /** An office has its name in both languages. */
  office: (official: { office_fa: string; office_en: string }) => string
  hours: ReturnType<typeof hoursIn>
}

const persianFormat = makeFormat('fa-IR-u-ca-persian-nu-arabext', fa.comma)

const persian: Language = {
  code: 'fa',
  direction: 'rtl',
  text: fa,
  format: persianFormat,
  office: (official) => official.office_fa,
  hours: hoursIn(fa, persianFormat),
}

async function english(): Promise<Language> {
  const { en } = await retryImport(() => import('./en'))
  const format = makeFormat('en-GB-u-ca-gregory', en.comma)
  return {
    code: 'en',
    direction: 'ltr',
    text: en,
    format,
    office: (official) => official.office_en,
    hours: hoursIn(en, format),
  }
}

/** Add a language here; everything else takes it from the context. Only the first one is there at once. */
export const languages: Record<Code, () => Promise<Language>> = { fa: () => Promise.resolve(persian), en: english }

/** The language, and how to change it. */
export const LanguageContext = createContext<[Language, (code: Code) => void]>([persian, () => undefined])

export const useLanguage = () => useContext(LanguageContext)[0]
