import type { Me } from './api/types'
import type { PageName } from './pages'
import { page, type Late } from './ui/part'

/** What is shown at a page's address; its code is fetched when it is opened. */
interface RouteOfOffice {
  component: Late<{ me: Me }>
  /** The page of one of its things, at `name/:id`. */
  below?: Late<{ me: Me; id: number; of: string }>
  /** There are several kinds of them, at `name/:of/:id`. */
  kinds?: string[]
}

/** It needs nobody: a screen on a wall has no person. */
export const Wallboard = page(() => import('./wallboard/wallboard-page'))

/** Only app.tsx knows the table: a page that knew it would import every other one, and itself. */
export const routes: Record<PageName, RouteOfOffice> = {
  inbox: { component: page(() => import('./inbox/inbox-page')), below: page(() => import('./inbox/request-page')) },
  desk: { component: page(() => import('./desk/desk-page')) },
  official: { component: page(() => import('./official/official-page')) },
  assist: { component: page(() => import('./assist/assist-page')) },
  citizens: { component: page(() => import('./citizens/citizens-page')), below: page(() => import('./citizens/citizen-page')), kinds: ['registration', 'request'] },
  rounds: { component: page(() => import('./rounds/rounds-page')), below: page(() => import('./rounds/round-page')) },
  notices: { component: page(() => import('./notices/notices-page')) },
  requests: { component: page(() => import('./requests/requests-page')), below: page(() => import('./requests/request-page')) },
  promises: { component: page(() => import('./requests/promises-page')) },
  departments: { component: page(() => import('./departments/departments-page')) },
  categories: { component: page(() => import('./categories/categories-page')) },
  timetable: { component: page(() => import('./timetable/timetable-page')) },
  officials: { component: page(() => import('./officials/officials-page')) },
  subjects: { component: page(() => import('./subjects/subjects-page')) },
  holidays: { component: page(() => import('./holidays/holidays-page')) },
  account: { component: page(() => import('./account/account-page')) },
  mine: { component: page(() => import('./mine/mine-page')) },
  reports: { component: page(() => import('./reports/reports-page')) },
  wallboard: { component: Wallboard },
  recordings: { component: page(() => import('./recordings/recordings-page')) },
  kept: { component: page(() => import('./kept/kept-page')) },
  outbox: { component: page(() => import('./outbox/outbox-page')) },
  blocked: { component: page(() => import('./blocked/blocked-page')) },
  control: { component: page(() => import('./control/control-page')) },
  desks: { component: page(() => import('./desks/desks-page')) },
  people: { component: page(() => import('./people/people-page')) },
  keys: { component: page(() => import('./keys/keys-page')) },
  setup: { component: page(() => import('./set-up/setup-page')) },
  audit: { component: page(() => import('./audit/audit-page')) },
}
