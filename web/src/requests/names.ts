import type { Language } from '../language/language'
import type { CityRequest } from './queries'

export const districtName = ({ text, format }: Language, district: number | null) =>
  district === null ? text.requests.noDistrict : text.requests.inDistrict(format.number(district))

/** The last day on which a referral is in time: its end is a midnight. */
const lastDay = (due: string) => new Date(Date.parse(due) - 1000).toISOString()

export const dueDay = ({ format }: Language, due: string) => format.date(lastDay(due))

/** How many days are left until the end of the last one, or have gone since. */
export function daysLeft({ text, format }: Language, due: string) {
  const days = format.days(lastDay(due))
  const count = format.number(Math.abs(days))
  return days > 0 ? text.requests.daysLeft(count) : days === 0 ? text.requests.lastDay : text.requests.daysLate(count)
}

/** A department has it, until a due date. */
export const WITH_DEPARTMENT: CityRequest['state'][] = ['referred', 'accepted', 'asked']
export const IN_WORK: CityRequest['state'][] = ['new', ...WITH_DEPARTMENT, 'reopened']

export const isInWork = ({ state }: Pick<CityRequest, 'state'>) => IN_WORK.includes(state)

/** A part that is its whole again: no duplicate of anything, although the table says so (hotline/requests/parts.py). */
export const isJoined = ({ state, part_of_id }: CityRequest) => state === 'duplicate' && part_of_id !== null

/** Who works on requests; everybody else reads them. */
export const mayHandle = (role: string) => role !== 'official' && role !== 'auditor' && role !== 'department'

/** Who says what everybody sees of a request (hotline/requests/public/publications.py). */
export const mayRelease = (role: string) => ['administrator', 'public_relations', 'supervisor'].includes(role)
