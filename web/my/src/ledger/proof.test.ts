import { describe, expect, it } from 'vitest'
import { consistent, included, rootFrom } from './proof'

// The tree, and its proofs, as the RFC defines them; nodes in hex.
const sha = async (prefix: string, of: string): Promise<string> => {
  const whole = Uint8Array.from((prefix + of).match(/../g) ?? [], (byte) => parseInt(byte, 16))
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', whole))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
const written = (line: string) => [...new TextEncoder().encode(line)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
const split = (count: number): number => 2 ** (Math.ceil(Math.log2(count)) - 1)
const parts = (lines: string[]) => [lines.slice(0, split(lines.length)), lines.slice(split(lines.length))] as const

async function root(lines: string[]): Promise<string> {
  if (lines.length === 1) return sha('00', written(lines[0] ?? ''))
  const [left, right] = parts(lines)
  return sha('01', (await root(left)) + (await root(right)))
}
async function path(m: number, lines: string[]): Promise<string[]> {
  if (lines.length === 1) return []
  const [left, right] = parts(lines)
  return m < left.length ? [...(await path(m, left)), await root(right)] : [...(await path(m - left.length, right)), await root(left)]
}
async function sub(m: number, lines: string[], whole: boolean): Promise<string[]> {
  if (m === lines.length) return whole ? [] : [await root(lines)]
  const [left, right] = parts(lines)
  return m <= left.length ? [...(await sub(m, left, whole)), await root(right)] : [...(await sub(m - left.length, right, false)), await root(left)]
}
const lines = (count: number): string[] => Array.from({ length: count }, (_, n) => `[${n + 1},"نوبت"]`)
const SIZES = [1, 2, 3, 7, 8, 13, 32]

const inclusion = async (at: number, count: number) =>
  ({ leaf_index: at, tree_size: count, root_hash: await root(lines(count)), inclusion_path: await path(at, lines(count)) })
const consistency = async (old: number, count: number) => ({
  old_size: old, new_size: count, old_root: await root(lines(old)), new_root: await root(lines(count)),
  consistency_path: await sub(old, lines(count), true),
})

describe('the ledger’s proofs', () => {
  it('given ledgers of many sizes when a line’s proof is checked then it holds, and of another line it does not', async () => {
    for (const count of SIZES) {
      for (let at = 0; at < count; at += 1) {
        const [line, proof] = [lines(count)[at] ?? '', await inclusion(at, count)]
        expect(await included(line, proof), `${at} of ${count}`).toBe(true)
        expect(await included('[1,"moved_up"]', proof)).toBe(false)
        expect(await included(line, { ...proof, root_hash: '00' })).toBe(false)
      }
    }
  })

  it('given all lines from one on when their root is made then it is the seal’s, and without one of them it is not', async () => {
    for (const count of SIZES) {
      for (let at = 0; at < count; at += 1) {
        const [proof, since] = [await inclusion(at, count), lines(count).slice(at)]
        expect(await rootFrom(proof, since), `${at} of ${count}`).toBe(proof.root_hash)
        expect(await rootFrom(proof, since.slice(1))).not.toBe(proof.root_hash)
        expect(await rootFrom(proof, [...since.slice(0, -1), '[1,"called"]'])).not.toBe(proof.root_hash)
      }
    }
  })

  it('given an older root when the newer one continues it then it is consistent, and a forged one is not', async () => {
    for (const count of SIZES) {
      for (let old = 1; old <= count; old += 1) {
        const proof = await consistency(old, count)
        expect(await consistent(proof), `${old} of ${count}`).toBe(true)
        expect(await consistent({ ...proof, old_root: '11'.repeat(32) })).toBe(false)
        expect(await consistent({ ...proof, new_root: '11'.repeat(32) })).toBe(false)
      }
    }
  })
})
