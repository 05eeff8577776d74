/** A report, or an objection, as it is written. What is here needs no database: the form is there before it. */

/** draft: being written; waiting: finished, to be sent; refused: the API said no; arrived: the API has it. */
export type ReportState = 'draft' | 'waiting' | 'refused' | 'arrived'

/** What an objection is to: the request, since when its citizen is asked, and which parts are meant (none: all). */
export interface Objects {
  tracking: string
  answer: string
  parts: number[]
}

/** A report from its first letter on, or an objection. Its key makes it one, however often it is sent. */
export interface Report {
  key: string
  state: ReportState
  /** The masked number under which it was finished; empty: whoever signs in sends it. */
  owner: string
  changedAt: number
  language: 'fa' | 'en'
  category: number | null
  text: string
  answers: string[]
  district: number | null
  point: { latitude: number; longitude: number; metres: number } | null
  place: string
  /** So often no answer came; not to be sent again before then. */
  tries: number
  notBefore: number
  /** What the API said to it last. */
  problem: string
  /** The pictures were handed in anew because the API knew them no more. */
  renewed: boolean
  tracking: string
  /** It is an objection, and its text the reason. */
  objects?: Objects
}

export const MOST_PICTURES = 3

const TYPED = 'hotline137.my.typed.'

/** What is typed, at once: the database keeps it a moment later, and the page may be gone by then. */
export const jot = (report: Report): void => localStorage.setItem(TYPED + report.key, JSON.stringify(report))

/** The database has it. What was typed since is not forgotten. */
export function jotted({ key, changedAt }: Report): void {
  const noted = localStorage.getItem(TYPED + key)
  if (noted && (JSON.parse(noted) as Report).changedAt <= changedAt) localStorage.removeItem(TYPED + key)
}

/** What was jotted down and is in no database yet. */
export const jottedDown = (): Report[] =>
  Object.keys(localStorage).filter((name) => name.startsWith(TYPED)).map((name) => JSON.parse(localStorage.getItem(name) ?? '{}') as Report)

export const forgetJotted = (key: string): void => localStorage.removeItem(TYPED + key)

/** As crypto.randomUUID makes it, where that is not given: it is only by HTTPS. */
function newKey(): string {
  const drawn = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return drawn.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** An objection before its first letter; to one answer there is one. */
export const objection = (language: 'fa' | 'en', tracking: string, answer: string): Report =>
  ({ ...blank(language), key: `objection-${tracking}-${answer}`, objects: { tracking, answer, parts: [] } })

export const blank = (language: 'fa' | 'en'): Report => ({
  key: newKey(), state: 'draft', owner: '', changedAt: Date.now(), language, category: null, text: '', answers: [],
  district: null, point: null, place: '', tries: 0, notBefore: 0, problem: '', renewed: false, tracking: '',
})
