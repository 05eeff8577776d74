import type { Detail, HistoryProof } from '../api/types'
import { digest } from '../ledger/proof'

type Step = Detail['steps'][number]
type Line = HistoryProof['lines'][number]

/** Whether the ledger's lines are of these steps, in this order: their hashes are of what is read here. */
export async function saysSo(proof: Pick<HistoryProof, 'lines'>, { tracking, steps }: Pick<Detail, 'tracking' | 'steps'>): Promise<boolean> {
  if (proof.lines.length < steps.length) return false
  const right = await Promise.all(steps.map((step, index) => isOf(proof.lines[index], tracking, step)))
  return right.every(Boolean)
}

async function isOf(line: Line | undefined, tracking: string, { step, at, note }: Step): Promise<boolean> {
  if (!line) return false
  const [entry, , fact, , , hashes] = JSON.parse(line.line) as [number, string, string, null, null, { step: string; note: string }]
  const [, of, what, when] = JSON.parse(line.told) as string[]
  return (
    entry === line.entry && fact === 'request_step' && hashes.step === (await digest(line.told)) &&
    of === tracking && what === step && Date.parse(when ?? '') === Date.parse(at) &&
    (line.note === null ? !note : hashes.note === (await digest(line.note)) && (JSON.parse(line.note) as string[])[1] === note)
  )
}
