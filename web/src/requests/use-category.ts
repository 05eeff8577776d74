import { useCategories } from '../api/city'
import { useLanguage } from '../language/language'

/** What a request is about, in the page's language; while nobody knows, an empty line as high. */
export function useCategory(): (id: number) => string {
  const { name } = useLanguage()
  const { data } = useCategories()
  return (id) => {
    if (!data) return '\u00a0'
    const found = data.find((one) => one.id === id)
    return found ? name(found) : ''
  }
}
