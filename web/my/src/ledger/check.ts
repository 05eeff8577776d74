import { ask, askPublic, Refusal } from '../api/ask'
import { consistent, included, type Consistency, type Inclusion } from './proof'

const SEEN = 'hotline137.my.seal'

export interface Seal {
  size: number
  root: string | null
}

/** What the city says of something of mine, with its lines in the ledger. */
export interface Lined {
  lines: { entry: number; line: string }[]
}

/** proven: every line of mine is under the seal; unsealed: the newest ones will be; broken: the ledger is not what was said. */
export interface Checked<T extends Lined> {
  result: 'proven' | 'unsealed' | 'broken'
  said: T
  seal: Seal
  /** The ledger that was seen before is the beginning of this one. */
  continued: boolean
}

/**
 * Check on this phone what the public ledger says of mine, and that it goes on from what this phone has seen of it.
 * `right`: whether the lines say what I was told.
 */
export async function check<T extends Lined>(path: string, right: (said: T) => Promise<boolean>): Promise<Checked<T>> {
  return checked(await ask<T>('GET', path), right)
}

/** The same of what was said already. */
export async function checked<T extends Lined>(said: T, right: (said: T) => Promise<boolean>): Promise<Checked<T>> {
  const seal = await askPublic<Seal>('/ledger/root?limit=1')
  const continued = await goesOn(seal)
  const found = { said, seal, continued: continued === 'yes' }
  if (continued === 'no' || !(await right(said))) return { ...found, result: 'broken' }
  for (const { entry, line } of said.lines) {
    if (entry > seal.size) return { ...found, result: 'unsealed' }
    const proof = await askPublic<Inclusion>(`/ledger/proof/${entry}`)
    const under = proof.leaf_index === entry - 1 && (await sameSeal(proof, seal)) && (await included(line, proof))
    if (!under) return { ...found, result: 'broken' }
  }
  if (seal.root) localStorage.setItem(SEEN, JSON.stringify(seal))
  return { ...found, result: 'proven' }
}

/** The proof is of this seal, or of one that goes on from it: the scheduler seals every minute. */
export async function sameSeal(proof: Inclusion, seal: Seal): Promise<boolean> {
  if (proof.tree_size === seal.size) return proof.root_hash === seal.root
  if (proof.tree_size < seal.size) return false
  const more = await askPublic<Consistency>(`/ledger/consistency?from=${seal.size}&to=${proof.tree_size}`)
  return isOf(more, seal, { size: proof.tree_size, root: proof.root_hash }) && consistent(more)
}

async function goesOn(seal: Seal): Promise<'yes' | 'no' | 'first'> {
  const before = JSON.parse(localStorage.getItem(SEEN) ?? 'null') as Seal | null
  if (!before) return 'first'
  if (before.size > seal.size) return 'no'
  try {
    const proof = await askPublic<Consistency>(`/ledger/consistency?from=${before.size}&to=${seal.size}`)
    return isOf(proof, before, seal) && (await consistent(proof)) ? 'yes' : 'no'
  } catch (failed) {
    if (failed instanceof Refusal && failed.status === 404) return 'no' // it knows nothing of what it had sealed
    throw failed
  }
}

const isOf = (proof: Consistency, old: Seal, now: Seal): boolean =>
  proof.old_size === old.size && proof.old_root === old.root && proof.new_size === now.size && proof.new_root === now.root
