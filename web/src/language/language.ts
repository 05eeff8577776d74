import { createContext, useContext } from 'react'
import { fa, type Text } from './fa'
import { type Format, makeFormat } from './format'

export interface Language {
  code: string
  direction: 'rtl' | 'ltr'
  text: Text
  format: Format
  /** An office has its name in both languages. */
  office: (official: { office_fa: string; office_en: string }) => string
}

/** Add a language here; everything else takes it from the context. */
export const languages = {
  fa: {
    code: 'fa',
    direction: 'rtl',
    text: fa,
    format: makeFormat('fa-IR-u-ca-persian-nu-arabext'),
    office: (official) => official.office_fa,
  },
} satisfies Record<string, Language>

export const LanguageContext = createContext<Language>(languages.fa)

export const useLanguage = () => useContext(LanguageContext)
