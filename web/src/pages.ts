import type { Me } from './api/types'
import type { Text } from './language/fa'

/** A page behind the sign-in. Add a line below and one in routes.ts; its address, its place in the menu and who sees it follow. */
export interface PageOfOffice {
  /** Its address, without the slash. */
  name: string
  title: (text: Text) => string
  isFor: (me: Me) => boolean
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

export const pages = [
  { name: 'desk', title: (text) => text.desk.title, isFor: answers },
  { name: 'official', title: (text) => text.official.title, isFor: hasDesk },
  { name: 'assist', title: (text) => text.assist.title, isFor: hasDesk },
  { name: 'rounds', title: (text) => text.rounds.title, isFor: seesRounds },
  { name: 'requests', title: (text) => text.requests.title, isFor: everybody },
  { name: 'departments', title: (text) => text.departments.title, isFor: seesRounds },
  { name: 'timetable', title: (text) => text.timetable.title, isFor: seesRounds },
  { name: 'officials', title: (text) => text.officials.title, isFor: seesRounds },
  { name: 'subjects', title: (text) => text.subjects.title, isFor: seesRounds },
  { name: 'holidays', title: (text) => text.holidays.title, isFor: seesRounds },
  { name: 'account', title: (text) => text.account.title, isFor: everybody },
  { name: 'reports', title: (text) => text.reports.title, isFor: seesReports },
  { name: 'wallboard', title: (text) => text.wallboard.title, isFor: everybody },
  { name: 'recordings', title: (text) => text.retention.title, isFor: watches },
  { name: 'blocked', title: (text) => text.blocked.title, isFor: watches },
  { name: 'desks', title: (text) => text.deskList.title, isFor: watches },
  { name: 'people', title: (text) => text.people.title, isFor: inspects },
  { name: 'audit', title: (text) => text.audit.title, isFor: inspects },
] as const satisfies readonly PageOfOffice[]

export type PageName = (typeof pages)[number]['name']

/** The pages of this person, in the order of the menu. */
export const pagesOf = (me: Me) => pages.filter(({ isFor }) => isFor(me))

/** Where a person's work is. */
export function home(me: Me): string {
  if (me.role === 'official' && hasDesk(me)) return '/official'
  const first = pagesOf(me)[0]
  return `/${first?.name ?? ''}`
}
