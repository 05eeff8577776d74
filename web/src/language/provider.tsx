import { useDirection } from '@mantine/core'
import { useLayoutEffect, useState, type ReactNode } from 'react'
import { type Code, LanguageContext, languages } from './language'

const KEPT = 'hotline137.language'

const kept = (): Code => (localStorage.getItem(KEPT) === 'en' ? 'en' : 'fa')

/** Persian, unless this browser's person has switched to another language. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [code, setCode] = useState(kept)
  const { setDirection } = useDirection()
  const language = languages[code]
  useLayoutEffect(() => {
    document.documentElement.lang = language.code
    setDirection(language.direction)
  }, [language, setDirection])

  const change = (chosen: Code) => {
    localStorage.setItem(KEPT, chosen)
    setCode(chosen)
  }
  return <LanguageContext value={[language, change]}>{children}</LanguageContext>
}
