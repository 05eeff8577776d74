import { useSubjects } from '../api/city'
import { useLanguage } from '../language/language'

/** What a registration or a request is about, in the page's language; while nobody knows, an empty line as high. */
export function useSubject(): (key: number | null) => string {
  const { name, text } = useLanguage()
  const { data } = useSubjects()
  return (key) => {
    if (key === null) return text.noSubject
    if (!data) return '\u00a0'
    const found = data.find(({ id }) => id === key)
    return found ? name(found) : ''
  }
}
