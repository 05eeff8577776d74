import { useEffect } from 'react'
import { useLanguage } from '../language/language'

/** The title of the browser's window. */
export function useTitle(title: string): void {
  const { text } = useLanguage()
  useEffect(() => {
    document.title = `${title} · ${text.brandNumber}`
  }, [title, text])
}
