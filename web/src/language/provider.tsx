import { useDirection } from '@mantine/core'
import { useEffect, useLayoutEffect, useState, type ReactNode } from 'react'
import type { Code } from '../../shared/language/locale'
import { type Language, LanguageContext, languages } from './language'

const KEPT = 'hotline137.language'

const kept = (): Code => (localStorage.getItem(KEPT) === 'en' ? 'en' : 'fa')

/** Persian, unless this browser's person has switched to another language. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [code, setCode] = useState(kept)
  const [language, setLanguage] = useState<Language>()
  const { setDirection } = useDirection()
  useEffect(() => {
    let wanted = true
    void languages[code]().catch(languages.fa).then((loaded) => wanted && setLanguage(loaded))
    return () => {
      wanted = false
    }
  }, [code])
  useLayoutEffect(() => {
    if (!language) return
    document.documentElement.lang = language.code
    setDirection(language.direction)
  }, [language, setDirection])

  const change = (chosen: Code) => {
    localStorage.setItem(KEPT, chosen)
    setCode(chosen)
  }
  return language && <LanguageContext value={[language, change]}>{children}</LanguageContext>
}
