/** Whether anybody was put before a place: the rules of docs/ledger.md, applied here to all entries since it was taken. */
import { askPublic, askPublicText } from '../api/ask'
import { sameSeal, type Seal } from './check'
import { rootFrom, type Inclusion } from './proof'

/** An entry as it is hashed: number, time, fact, round, registration, details. */
type Entry = [id: number, at: string, fact: string, round: number | null, registration: number | null, details: Details]

interface Details {
  state: string
  moved_up: number
  rounds_missed: number
  registered_at: string
  not_before: string | null
  clock?: string
  reason?: string
  engaged?: number[]
  passed?: number[]
}

/** `called`: others called in the round; `before`: those who stood before; `unexplained`: those without a published reason. */
export interface Meanwhile {
  entries: number
  called: number
  before: number
  unexplained: number
}

/** As many entries as an old telephone hashes in some seconds. */
const MOST = 5_000
const PAGE = 1_000
const HOLDS_PLACE = ['unconfirmed', 'waiting', 'calling', 'unreached']
const EXCUSED = ['unconfirmed', 'calling', 'unreached']

const read = (line: string) => JSON.parse(line) as Entry

/** The published reason for which a person has moved this place up; empty if nobody has. */
export const movedUp = (lines: string[]): string => lines.map(read).reverse().find(([, , fact]) => fact === 'moved_up')?.[5].reason ?? ''

/**
 * Read all entries from my first one in this round to the seal, check that they are whole, and look at each call among
 * them. null: there are too many. `broken`: the entries are not those under the seal.
 */
export async function readMeanwhile(lines: string[], seal: Seal): Promise<Meanwhile | 'broken' | null> {
  const mine = lines.map(read)
  const round = mine.at(-1)?.[3]
  const first = mine.find((entry) => entry[3] === round)
  if (!first || !seal.root) return null
  const from = first[0] - 1
  const proof = await askPublic<Inclusion>(`/ledger/proof/${first[0]}`)
  if (proof.tree_size - from > MOST) return null
  const since: string[] = []
  while (since.length < proof.tree_size - from) {
    const page = (await askPublicText(`/ledger/entries?after=${from + since.length}&limit=${Math.min(PAGE, proof.tree_size - from - since.length)}`, 'application/x-ndjson')).split('\n').filter(Boolean)
    if (!page.length) return 'broken'
    since.push(...page)
  }
  if (!(await sameSeal(proof, seal)) || (await rootFrom(proof, since)) !== proof.root_hash) return 'broken'
  return judge(mine, since.map(read))
}

/**
 * The calls of others among these entries while I stood in the line of my round, by the rules that
 * `hotline/line/fairness.py` has for the public page; `order-cases.json` holds the cases of both.
 */
export function judge(mine: Entry[], since: Entry[]): Meanwhile {
  const [, , , round, own] = mine.at(-1) ?? []
  const stood = since.flatMap((call) => {
    const [id, , fact, at, registration] = call
    if (fact !== 'called' || at !== round || registration === own) return []
    const last = mine.filter((each) => each[0] < id && each[2] !== 'number_changed').at(-1)
    return last?.[3] === round && HOLDS_PLACE.includes(last[5].state) ? [place(last, call)] : []
  })
  return {
    entries: since.length, called: stood.length,
    before: stood.filter((how) => how === 'before').length, unexplained: stood.filter((how) => how === 'unexplained').length,
  }
}

/** `last`: my last entry before the call. */
function place([, , fact, , id, my]: Entry, [, at, , , registration, theirs]: Entry): 'before' | 'explained' | 'unexplained' {
  const own = id ?? 0
  if (isBefore(theirs, registration ?? 0, my, own)) return 'before'
  const due = my.not_before === null || micros(my.not_before) <= micros(theirs.clock ?? at)
  const named = theirs.engaged?.includes(own) || theirs.passed?.includes(own)
  return fact === 'deferred' || EXCUSED.includes(my.state) || !due || named ? 'explained' : 'unexplained'
}

function isBefore(theirs: Details, their: number, my: Details, own: number): boolean {
  const rank = ({ moved_up, rounds_missed, registered_at }: Details, id: number) => [-moved_up, -rounds_missed, micros(registered_at), id]
  const [one, other] = [rank(theirs, their), rank(my, own)]
  const at = one.findIndex((part, index) => part !== other[index])
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0)
}

/** A moment to the microsecond, which Date does not know. */
const micros = (iso: string): number =>
  Date.parse(iso.replace(/\.\d+/, '')) * 1000 + Number((/\.(\d+)/.exec(iso)?.[1] ?? '').padEnd(6, '0'))
