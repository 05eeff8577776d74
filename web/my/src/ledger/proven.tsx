import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Refusal } from '../api/ask'
import { problemText, text } from '../language/language'
import { check, type Checked, type Lined } from './check'

interface Props<T extends Lined, Further> {
  path: string
  right?: (said: T) => Promise<boolean>
  /** Checked once the lines are proven; `broken`: it is not what the ledger has. */
  further?: (checked: Checked<T>) => Promise<Further | 'broken'>
  children: (checked: Checked<T>, found: Further | undefined) => ComponentChildren
}

/** The public ledger's proof of something of mine, checked by this phone itself; `children` say what was checked, and no more. */
export function Proven<T extends Lined, Further = never>({ path, right = () => Promise.resolve(true), further, children }: Props<T, Further>) {
  const [checked, setChecked] = useState<Checked<T> | null>(null)
  const [found, setFound] = useState<Further>()
  const [told, setTold] = useState('')
  const start = async () => {
    if (!('subtle' in crypto)) {
      setTold(text.ledger.uncheckable)
      return
    }
    setTold(text.ledger.checking)
    try {
      const lines = await check(path, right)
      const more = lines.result === 'proven' ? await further?.(lines) : undefined
      if (more !== 'broken') setFound(more)
      setChecked(more === 'broken' ? { ...lines, result: 'broken' } : lines)
      setTold('')
    } catch (failed) {
      setTold(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
  }
  return (
    <>
      <div role="status" data-testid="proof" data-state={checked?.result}>{told || (checked ? <Result checked={checked}>{(right) => children(right, found)}</Result> : null)}</div>
      <button type="button" class="quiet" onClick={() => void start()}>{text.ledger.check}</button>
    </>
  )
}

function Result<T extends Lined>({ checked, children }: { checked: Checked<T>; children: (checked: Checked<T>) => ComponentChildren }) {
  if (checked.result === 'broken') return <p class="news cancelled">{text.ledger.broken}</p>
  if (checked.result === 'unsealed') return <p class="news">{text.ledger.unsealed}</p>
  return <>{children(checked)}</>
}
