import type { Me } from './api/types'
import type { Text } from './language/fa'

/** Where the rail leads: one of these holds a few pages, which are its tabs. */
export type Destination = 'work' | 'inbox' | 'control' | 'citizens' | 'promises' | 'calendar' | 'notices' | 'requests' | 'figures' | 'records' | 'staff' | 'account'

/** A page behind the sign-in. Add a line below and one in routes.ts; its address, its place in the rail and who sees it follow. */
export interface PageOfOffice {
  /** Its address, without the slash. */
  name: string
  destination: Destination
  /** Where it is for a role that has it elsewhere. */
  elsewhere?: Partial<Record<Me['role'], Destination>>
  title: (text: Text) => string
  isFor: (me: Me) => boolean
  /** For a screen of its own: it opens in another window. */
  alone?: true
}

/** A department is none of the office: it has its own pages. */
const inOffice = ({ role }: Me) => role !== 'department'

const hasDesk = (me: Me) => me.desk !== null

/** Whoever answers citizens; without a desk the page says what is missing. */
const answers = (me: Me) => hasDesk(me) || me.role === 'operator' || me.role === 'official'

/** Who sees all that makes rounds: whoever plans, conducts or inspects them. */
const seesPlans = (me: Me) => inOffice(me) && me.role !== 'operator' && me.role !== 'official'

/** Who sees rounds; an official the own ones. */
const seesRounds = (me: Me) => inOffice(me) && me.role !== 'operator'

const everybody = () => true

/** Who reads everything with a citizen’s number: not an official, to whom only the own rounds belong. */
export const seesCitizens = (me: Me) => inOffice(me) && me.role !== 'official'

const inspects = ({ role }: Me) => role === 'administrator' || role === 'auditor'

const watches = (me: Me) => inspects(me) || me.role === 'supervisor'
/** Who sees what many rounds came to. */
const seesReports = (me: Me) => inOffice(me) && me.role !== 'operator'

export const pages = [
  { name: 'inbox', destination: 'inbox', title: (text) => text.inbox.title, isFor: (me) => !inOffice(me) },
  { name: 'desk', destination: 'work', title: (text) => text.desk.title, isFor: answers },
  { name: 'official', destination: 'work', title: (text) => text.official.title, isFor: hasDesk },
  { name: 'assist', destination: 'work', title: (text) => text.assist.title, isFor: hasDesk },
  { name: 'rounds', destination: 'calendar', title: (text) => text.rounds.title, isFor: seesRounds },
  { name: 'notices', destination: 'calendar', elsewhere: { public_relations: 'notices' }, title: (text) => text.notices.title, isFor: seesPlans },
  { name: 'citizens', destination: 'citizens', title: (text) => text.citizens.title, isFor: seesCitizens },
  { name: 'requests', destination: 'requests', title: (text) => text.requests.title, isFor: inOffice },
  { name: 'promises', destination: 'requests', elsewhere: { official: 'promises' }, title: (text) => text.requests.promises, isFor: inOffice },
  { name: 'departments', destination: 'requests', title: (text) => text.departments.title, isFor: seesPlans },
  { name: 'categories', destination: 'requests', title: (text) => text.categories.title, isFor: seesPlans },
  { name: 'timetable', destination: 'calendar', title: (text) => text.timetable.title, isFor: seesPlans },
  { name: 'officials', destination: 'calendar', title: (text) => text.officials.title, isFor: seesPlans },
  { name: 'subjects', destination: 'calendar', title: (text) => text.subjects.title, isFor: seesPlans },
  { name: 'holidays', destination: 'calendar', title: (text) => text.holidays.title, isFor: seesPlans },
  { name: 'account', destination: 'account', title: (text) => text.account.title, isFor: everybody },
  { name: 'mine', destination: 'work', elsewhere: { operator: 'figures', official: 'figures' }, title: (text) => text.mine.title, isFor: answers },
  { name: 'reports', destination: 'figures', title: (text) => text.reports.title, isFor: seesReports },
  { name: 'wallboard', destination: 'figures', title: (text) => text.wallboard.title, isFor: inOffice, alone: true },
  { name: 'recordings', destination: 'records', title: (text) => text.retention.title, isFor: watches },
  { name: 'outbox', destination: 'records', elsewhere: { public_relations: 'notices' }, title: (text) => text.outbox.title, isFor: seesPlans },
  { name: 'blocked', destination: 'staff', title: (text) => text.blocked.title, isFor: watches },
  { name: 'control', destination: 'control', title: (text) => text.control.title, isFor: watches },
  { name: 'desks', destination: 'control', title: (text) => text.deskList.title, isFor: watches },
  { name: 'people', destination: 'staff', title: (text) => text.people.title, isFor: inspects },
  { name: 'keys', destination: 'staff', title: (text) => text.apiKeys.title, isFor: inspects },
  { name: 'setup', destination: 'staff', title: (text) => text.setUp.title, isFor: ({ role }) => role === 'administrator' },
  { name: 'kept', destination: 'records', title: (text) => text.kept.title, isFor: inspects },
  { name: 'audit', destination: 'records', title: (text) => text.audit.title, isFor: inspects },
] as const satisfies readonly PageOfOffice[]

export type PageName = (typeof pages)[number]['name']

/** The pages of this person, in their order. */
export const pagesOf = (me: Me): (PageOfOffice & { name: PageName })[] =>
  pages
    .filter(({ isFor }) => isFor(me))
    .map((page: PageOfOffice & { name: PageName }) => ({ ...page, destination: page.elsewhere?.[me.role] ?? page.destination }))

/** In the order of the rail; one's own account is reached by one's name. */
const RAIL: Destination[] = ['inbox', 'work', 'control', 'citizens', 'promises', 'calendar', 'notices', 'requests', 'figures', 'records', 'staff']

/** The rail of this person: each destination with its pages, of which the first is where it leads. */
export function railOf(me: Me): { destination: Destination; pages: PageOfOffice[] }[] {
  const mine = pagesOf(me)
  const of = (destination: Destination) => mine.filter((one) => one.destination === destination)
  return RAIL.map((destination) => ({ destination, pages: of(destination) })).filter(({ pages }) => pages.length > 0)
}

/** The pages beside this one, itself included. */
export function tabsOf(me: Me, name: string): PageOfOffice[] {
  const mine = pagesOf(me)
  const here = mine.find((one) => one.name === name)
  return mine.filter(({ destination }) => destination === here?.destination)
}

/** What a destination is called: one's own, where others have everybody's. */
export function nameOf(me: Me, destination: Destination, { shell }: Text): string {
  const own: Partial<Record<Me['role'], Partial<Record<Destination, string>>>> = shell.own
  return own[me.role]?.[destination] ?? shell.destinations[destination]
}

/** Where a person's work is. */
export function home(me: Me): string {
  if (me.role === 'supervisor') return '/control'
  if (me.role === 'official' && hasDesk(me)) return '/official'
  const first = pagesOf(me)[0]
  return `/${first?.name ?? ''}`
}
