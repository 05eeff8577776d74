import { createContext, useContext } from 'react'
import { en } from './en'
import { fa, type Text } from './fa'
import { type Format, makeFormat } from './format'

export type Code = 'fa' | 'en'

export interface Language {
  code: Code
  direction: 'rtl' | 'ltr'
  text: Text
  format: Format
  /** An office has its name in both languages. */
  office: (official: { office_fa: string; office_en: string }) => string
}

/** Add a language here; everything else takes it from the context. */
export const languages: Record<Code, Language> = {
  fa: {
    code: 'fa',
    direction: 'rtl',
    text: fa,
    format: makeFormat('fa-IR-u-ca-persian-nu-arabext', fa.comma),
    office: (official) => official.office_fa,
  },
  en: {
    code: 'en',
    direction: 'ltr',
    text: en,
    format: makeFormat('en-GB-u-ca-gregory', en.comma),
    office: (official) => official.office_en,
  },
}

/** The language, and how to change it. */
export const LanguageContext = createContext<[Language, (code: Code) => void]>([languages.fa, () => undefined])

export const useLanguage = () => useContext(LanguageContext)[0]
