import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Refusal } from '../api/ask'
import { problemText, text } from '../language/language'
import { check, type Checked, type Lined } from './check'

interface Props<T extends Lined> {
  path: string
  right?: (said: T) => Promise<boolean>
  children: (checked: Checked<T>) => ComponentChildren
}

/** What the public ledger says of something of mine, checked by this phone itself; `children`: what is told if it is so. */
export function Proven<T extends Lined>({ path, right = () => Promise.resolve(true), children }: Props<T>) {
  const [checked, setChecked] = useState<Checked<T> | null>(null)
  const [told, setTold] = useState('')
  const start = async () => {
    if (!('subtle' in crypto)) {
      setTold(text.ledger.uncheckable)
      return
    }
    setTold(text.ledger.checking)
    try {
      setChecked(await check(path, right))
      setTold('')
    } catch (failed) {
      setTold(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
  }
  return (
    <>
      <div role="status" data-testid="proof" data-state={checked?.result}>{told || (checked ? <Result checked={checked}>{children}</Result> : null)}</div>
      <button type="button" class="quiet" onClick={() => void start()}>{text.ledger.check}</button>
    </>
  )
}

function Result<T extends Lined>({ checked, children }: { checked: Checked<T>; children: (checked: Checked<T>) => ComponentChildren }) {
  if (checked.result === 'broken') return <p class="news cancelled">{text.ledger.broken}</p>
  if (checked.result === 'unsealed') return <p class="news">{text.ledger.unsealed}</p>
  return <>{children(checked)}</>
}
