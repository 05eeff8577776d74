import type { Me } from '../api/types'
import type { Language } from '../language/language'
import { districtName } from '../requests/names'
import { nameOf, pagesOf } from '../pages'
import type { SearchResults } from './queries'

/** Letters that an Arabic keyboard has instead, joiners, and blanks make no other word. */
const alike = (words: string) => words.toLocaleLowerCase().replace(/ي/g, 'ی').replace(/ك/g, 'ک').replace(/[\s\u200c]/g, '')

/** Whether these words have in them what is typed. */
export const isCalled = (words: string, typed: string) => alike(words).includes(alike(typed))

/** One line of what was found, and where it leads. */
export interface Result {
  key: string
  label: string
  /** A user name. */
  latin?: string
  about: string
  to: string
}

export interface Group {
  name: 'registrations' | 'requests' | 'staff' | 'pages'
  results: Result[]
}

/** What was found, and the pages of this name: each kind by itself, without those of which there is none. */
export function groupsOf(
  me: Me, typed: string, found: SearchResults | undefined, language: Language, category: (id: number) => string,
): Group[] {
  const { text, format, office } = language
  const registrations = (found?.registrations ?? []).map((one) => ({
    key: `registration-${one.id}`,
    label: format.ticket(one.ticket),
    about: [
      one.in_operators_line ? text.history.operatorsLine : `${office(one.official)}${text.comma}${format.date(one.starts_at)}`,
      text.history.state[one.state],
    ].join(text.comma),
    to: `/citizens/registration/${one.id}`,
  }))
  const requests = (found?.requests ?? []).map((one) => ({
    key: `request-${one.id}`,
    label: format.ticket(one.tracking),
    about: [category(one.category), districtName(language, one.district), text.requests.state[one.state]].join(text.comma),
    to: `/requests/${one.id}`,
  }))
  const staff = (found?.staff ?? []).map((one) => ({
    key: `person-${one.id}`, label: one.name, latin: one.username, about: text.people.roles[one.role],
    to: `/people?person=${encodeURIComponent(one.username)}`,
  }))
  const pages = pagesOf(me)
    .map(({ name, title, destination }) => ({ key: `page-${name}`, label: title(text), about: nameOf(me, destination, text), to: `/${name}` }))
    .filter(({ label, about }) => isCalled(`${label} ${about}`, typed))
  const groups: Group[] = [
    { name: 'registrations', results: registrations },
    { name: 'requests', results: requests },
    { name: 'staff', results: staff },
    { name: 'pages', results: pages },
  ]
  return groups.filter(({ results }) => results.length > 0)
}
