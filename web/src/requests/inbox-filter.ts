import { useLocation, useSearch } from 'wouter'
import { IN_WORK, WITH_DEPARTMENT } from './names'
import type { RequestFilter, RequestState } from './queries'

/** What the inbox shows: one state, all in work, or the overdue ones. */
export const VIEWS = ['work', 'overdue', 'escalated', 'reopened', 'new', 'referred', 'split', 'replied', 'closed', 'rejected', 'duplicate'] as const
export type View = (typeof VIEWS)[number]

/** Which states a view shows; a department's are one to whoever looks for them. */
const statesOf = (view: Exclude<View, 'overdue' | 'escalated'>): RequestState[] =>
  view === 'work' ? IN_WORK : view === 'referred' ? WITH_DEPARTMENT : [view]

/** The filter stands in the address, so that it can be kept, sent and gone back to. */
export function useInboxFilter() {
  const search = new URLSearchParams(useSearch())
  const [, go] = useLocation()
  const wanted = search.get('view')
  const view: View = VIEWS.find((one) => one === wanted) ?? 'work'
  const number = (name: string) => Number(search.get(name)) || undefined

  const common: RequestFilter = {
    category: number('category'), district: number('district'), department_id: number('department'),
    mine: search.get('mine') === '1' || undefined,
  }
  const address = (changes: Record<string, string | undefined>) => {
    const next = new URLSearchParams(search)
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    const query = next.toString()
    return query ? `/requests?${query}` : '/requests'
  }
  return {
    view, common,
    filter: view === 'overdue' || view === 'escalated' ? { ...common, [view]: true } : { ...common, state: statesOf(view) },
    days: search.has('days') ? number('days') : 30,
    address,
    change: (changes: Record<string, string | undefined>) => go(address(changes), { replace: true }),
  }
}

export type InboxFilter = ReturnType<typeof useInboxFilter>

export const countOf = (view: View, counts: { states: Partial<Record<RequestState, number>>; overdue: number; escalated: number } | undefined) => {
  if (!counts) return null
  if (view === 'overdue' || view === 'escalated') return counts[view]
  return statesOf(view).reduce((sum, state) => sum + (counts.states[state] ?? 0), 0)
}
