import { DISTRICTS } from '../../shared/language/city'
import { VIEWS } from './inbox-filter'

/** What there is to filter by; undefined: not known yet. */
export interface Known {
  categories: readonly { id: number }[] | undefined
  departments: readonly { id: number }[] | undefined
}

/** A query of the requests' page without what it says twice, what is not known any more, and what it shows anyway. */
export function understood(query: string, { categories, departments }: Known): string {
  const asked = new URLSearchParams(query)
  const among = (known: readonly { id: number }[] | undefined) => (value: string) => (known ? known.some(({ id }) => String(id) === value) : /^\d{1,9}$/.test(value))
  const fits: Record<string, (value: string) => boolean> = {
    view: (value) => value !== 'work' && VIEWS.some((view) => view === value),
    category: among(categories),
    district: (value) => DISTRICTS.some((district) => String(district) === value),
    department: among(departments),
    mine: (value) => value === '1',
    days: (value) => value === 'all' || (value !== '30' && /^[1-9]\d{0,2}$/.test(value)),
  }
  const left = Object.entries(fits).flatMap(([name, fit]) => {
    const value = asked.get(name)
    return value !== null && fit(value) ? [[name, value]] : []
  })
  return new URLSearchParams(left).toString()
}
