import { useSearchParams } from 'wouter'
import { useLanguage } from '../language/language'
import type { MessageFilter } from './queries'

export const ALL = { state: '', kind: '', lost: false }

/** The filter stands in the address, so that it can be kept, sent and gone back to. */
export function useFilter() {
  const { text } = useLanguage()
  const [query, setQuery] = useSearchParams()
  const known = (name: string, of: object) => {
    const value = query.get(name) ?? ''
    return value in of ? value : ''
  }
  const wanted = { state: known('state', text.citizens.delivery), kind: known('kind', text.citizens.messages), lost: query.get('lost') === '1' }
  const set = (part: Partial<typeof ALL>) => {
    const { state, kind, lost } = { ...wanted, ...part }
    setQuery({ ...(state && { state }), ...(kind && { kind }), ...(lost && { lost: '1' }) }, { replace: true })
  }
  const filter = { state: wanted.state || undefined, kind: wanted.kind || undefined, lost: wanted.lost || undefined } as MessageFilter
  return { wanted, filter, set }
}
