/** The public ledger's proofs, checked here: RFC 9162, section 2.1, with SHA-256 (docs/ledger.md). */

export interface Inclusion {
  leaf_index: number
  tree_size: number
  root_hash: string
  inclusion_path: string[]
}

export interface Consistency {
  old_size: number
  new_size: number
  old_root: string
  new_root: string
  consistency_path: string[]
}

type Bytes = Uint8Array<ArrayBuffer>

const hash = async (...parts: Bytes[]): Promise<Bytes> => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
}

const LEAF: Bytes = new Uint8Array([0])
const NODE: Bytes = new Uint8Array([1])
const leaf = (line: string) => hash(LEAF, new TextEncoder().encode(line))
const node = (left: Bytes, right: Bytes) => hash(NODE, left, right)
const bytes = (hex: string): Bytes => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))
const hex = (hashed: Bytes): string => [...hashed].map((byte) => byte.toString(16).padStart(2, '0')).join('')
/** A ledger is longer than what << and >> know. */
const half = (place: number) => Math.floor(place / 2)
const odd = (place: number) => place % 2 === 1

/** The SHA-256 of a text, in hex. */
export const digest = async (text: string) => hex(await hash(new TextEncoder().encode(text)))

/** Whether the line is under the root. */
export async function included(line: string, proof: Inclusion): Promise<boolean> {
  let [at, last] = [proof.leaf_index, proof.tree_size - 1]
  let found = await leaf(line)
  for (const step of proof.inclusion_path.map(bytes)) {
    if (last === 0) return false
    if (odd(at) || at === last) {
      found = await node(step, found)
      while (at && !odd(at)) [at, last] = [half(at), half(last)]
    } else found = await node(found, step)
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && hex(found) === proof.root_hash
}

/**
 * The root over all entries before the one of this proof, and these lines from it on. Of the entries before, the proof has
 * the subtrees to the left: their sizes are the binary digits of how many entries there are.
 */
export async function rootFrom({ leaf_index, tree_size, inclusion_path }: Inclusion, lines: string[]): Promise<string> {
  const trees = leftOf(leaf_index, tree_size, inclusion_path)
  for (const line of lines) {
    trees.push({ size: 1, root: await leaf(line) })
    for (let [one, other] = trees.slice(-2); one && other && one.size === other.size; [one, other] = trees.slice(-2)) {
      trees.splice(-2, 2, { size: 2 * one.size, root: await node(one.root, other.root) })
    }
  }
  let whole = trees.pop()?.root
  for (const { root } of trees.reverse()) whole = whole && (await node(root, whole))
  return whole ? hex(whole) : ''
}

function leftOf(index: number, size: number, path: string[]): { size: number; root: Bytes }[] {
  let [at, last, before] = [index, size - 1, index]
  const roots: Bytes[] = []
  for (const step of path) {
    if (odd(at) || at === last) {
      roots.unshift(bytes(step))
      while (at && !odd(at)) [at, last] = [half(at), half(last)]
    }
    ;[at, last] = [half(at), half(last)]
  }
  return roots.map((root) => {
    const largest = 2 ** Math.floor(Math.log2(before))
    before -= largest
    return { size: largest, root }
  })
}

/** Whether the newer root's ledger begins with the older one's. */
export async function consistent(proof: Consistency): Promise<boolean> {
  let [at, last] = [proof.old_size - 1, proof.new_size - 1]
  const path = proof.consistency_path.map(bytes)
  if (at === last) return !path.length && proof.old_root === proof.new_root
  if (Number.isInteger(Math.log2(proof.old_size))) path.unshift(bytes(proof.old_root))
  while (odd(at)) [at, last] = [half(at), half(last)]
  const [first, ...steps] = path
  if (!first) return false
  let [old, now] = [first, first]
  for (const step of steps) {
    if (last === 0) return false
    if (odd(at) || at === last) {
      ;[old, now] = [await node(step, old), await node(step, now)]
      while (at && !odd(at)) [at, last] = [half(at), half(last)]
    } else now = await node(now, step)
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && hex(old) === proof.old_root && hex(now) === proof.new_root
}
