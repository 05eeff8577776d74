import type { ComponentType } from 'react'
import type { Me } from './api/calls'
import type { Text } from './language/fa'
import { page } from './ui/part'

/** A page behind the sign-in. Add a line below; its address, its place in the menu and who sees it follow. */
export interface PageOfOffice {
  /** Its address, without the slash; what lies below it (`rounds/:id`) belongs to `below`. */
  name: string
  title: (text: Text) => string
  isFor: (me: Me) => boolean
  component: ComponentType<{ me: Me }>
  /** The page of one of its things, at `name/:id`. */
  below?: ComponentType<{ me: Me; id: number }>
}

const hasDesk = (me: Me) => me.desk !== null

/** Whoever answers citizens; without a desk the page says what is missing. */
const answers = (me: Me) => hasDesk(me) || me.role === 'operator' || me.role === 'official'

/** Who sees the rounds: whoever plans, conducts or inspects them. */
const seesRounds = ({ role }: Me) => role !== 'operator' && role !== 'official'

const everybody = () => true

const inspects = ({ role }: Me) => role === 'administrator' || role === 'auditor'

const watches = (me: Me) => inspects(me) || me.role === 'supervisor'
/** Who sees what many rounds came to. */
const seesReports = ({ role }: Me) => role !== 'operator'

/** It needs nobody: a screen on a wall has no person. */
export const Wallboard = page(() => import('./pages/wallboard/wallboard-page'))

export const pages: PageOfOffice[] = [
  { name: 'desk', title: (text) => text.desk.title, isFor: answers, component: page(() => import('./pages/desk/desk-page')) },
  { name: 'official', title: (text) => text.official.title, isFor: hasDesk, component: page(() => import('./pages/official/official-page')) },
  { name: 'beside', title: (text) => text.beside.title, isFor: hasDesk, component: page(() => import('./pages/beside/beside-page')) },
  {
    name: 'rounds', title: (text) => text.rounds.title, isFor: seesRounds,
    component: page(() => import('./pages/rounds/rounds-page')), below: page(() => import('./pages/rounds/round-page')),
  },
  {
    name: 'requests', title: (text) => text.requests.title, isFor: everybody,
    component: page(() => import('./pages/requests/requests-page')), below: page(() => import('./pages/requests/request-page')),
  },
  { name: 'departments', title: (text) => text.departments.title, isFor: seesRounds, component: page(() => import('./pages/departments/departments-page')) },
  { name: 'timetable', title: (text) => text.timetable.title, isFor: seesRounds, component: page(() => import('./pages/timetable/timetable-page')) },
  { name: 'officials', title: (text) => text.officials.title, isFor: seesRounds, component: page(() => import('./pages/officials/officials-page')) },
  { name: 'subjects', title: (text) => text.subjects.title, isFor: seesRounds, component: page(() => import('./pages/subjects/subjects-page')) },
  { name: 'holidays', title: (text) => text.holidays.title, isFor: seesRounds, component: page(() => import('./pages/holidays/holidays-page')) },
  { name: 'account', title: (text) => text.account.title, isFor: everybody, component: page(() => import('./pages/account/account-page')) },
  { name: 'reports', title: (text) => text.reports.title, isFor: seesReports, component: page(() => import('./pages/reports/reports-page')) },
  { name: 'wallboard', title: (text) => text.wallboard.title, isFor: everybody, component: Wallboard },
  { name: 'recordings', title: (text) => text.retention.title, isFor: watches, component: page(() => import('./pages/recordings/recordings-page')) },
  { name: 'blocked', title: (text) => text.blocked.title, isFor: watches, component: page(() => import('./pages/blocked/blocked-page')) },
  { name: 'desks', title: (text) => text.deskList.title, isFor: watches, component: page(() => import('./pages/desks/desks-page')) },
  { name: 'people', title: (text) => text.people.title, isFor: inspects, component: page(() => import('./pages/people/people-page')) },
  { name: 'audit', title: (text) => text.audit.title, isFor: inspects, component: page(() => import('./pages/audit/audit-page')) },
]

/** The pages of this person, in the order of the menu. */
export const pagesOf = (me: Me) => pages.filter(({ isFor }) => isFor(me))

/** Where a person's work is. */
export function home(me: Me): string {
  if (me.role === 'official' && hasDesk(me)) return '/official'
  const first = pagesOf(me)[0]
  return `/${first?.name ?? ''}`
}
