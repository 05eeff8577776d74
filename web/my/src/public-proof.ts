/** On a public page: what it says, and what the public ledger has sealed, compared in this browser. Built by itself: proof.config.ts. */
import type { HistoryProof } from './api/types'
import { saysSo } from './follow/says-so'
import { checked } from './ledger/check'
import { readMeanwhile } from './ledger/meanwhile'

type Line = HistoryProof['lines'][number]

/** A step of a request, or a fact of a place, as it stands on the page; its `line` is exactly what is hashed. */
const read = ({ dataset }: HTMLElement): Line => ({
  entry: Number(dataset.entry), line: dataset.line ?? '', at: dataset.at ?? '', step: dataset.step as Line['step'],
  told: dataset.told ?? '', note: dataset.note ?? null,
})

const shown = (row: HTMLElement) => ({ step: read(row).step, at: read(row).at, note: row.querySelector('bdi')?.textContent ?? '' })

async function check(place: HTMLElement): Promise<string> {
  const rows = [...document.querySelectorAll<HTMLElement>('li[data-entry]')]
  const { tracking } = place.dataset
  const right = (said: { lines: Line[] }) => (tracking ? saysSo(said, { tracking, steps: rows.map(shown) }) : Promise.resolve(true))
  const { result, said, seal } = await checked({ lines: rows.map(read) }, right)
  if (result !== 'proven' || tracking) return result
  const meanwhile = await readMeanwhile(said.lines.map(({ line }) => line), seal)
  if (meanwhile === null) return 'lines'
  return meanwhile === 'broken' || meanwhile.unexplained ? 'broken' : 'nobody'
}

async function tell(place: HTMLElement): Promise<void> {
  const say = (state: string) => {
    place.dataset.state = state
    place.textContent = place.dataset[state] ?? ''
    place.hidden = false
  }
  if (!('subtle' in crypto)) {
    say('uncheckable') // only by HTTPS
    return
  }
  say('checking')
  say(await check(place).catch(() => 'away'))
}

const place = document.getElementById('proof')
if (place) void tell(place)
