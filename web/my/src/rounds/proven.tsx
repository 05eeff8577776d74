import { useState } from 'preact/hooks'
import { Refusal } from '../api/ask'
import { digits } from '../language/format'
import { problemText, text } from '../language/language'
import { check, type Checked } from './check'

/** Why my place is where it is, checked against the public ledger by this phone itself. */
export function Proven({ ticket }: { ticket: string }) {
  const [checked, setChecked] = useState<Checked | null>(null)
  const [told, setTold] = useState('')
  const start = async () => {
    if (!('subtle' in crypto)) {
      setTold(text.rounds.uncheckable)
      return
    }
    setTold(text.rounds.checking)
    try {
      setChecked(await check(ticket))
      setTold('')
    } catch (failed) {
      setTold(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
  }
  return (
    <>
      <div role="status" data-testid="proof" data-state={checked?.result}>{told || (checked ? <Result checked={checked} /> : null)}</div>
      <button type="button" class="quiet" onClick={() => void start()}>{text.rounds.check}</button>
    </>
  )
}

function Result({ checked: { result, standing, seal, continued } }: { checked: Checked }) {
  if (result === 'broken') return <p class="news cancelled">{text.rounds.broken}</p>
  if (result === 'unsealed') return <p class="news">{text.rounds.unsealed}</p>
  return (
    <div class={standing.unexplained ? 'news cancelled' : 'news'}>
      <p>{text.rounds.proven(digits(standing.lines.length), digits(seal.size))} {continued ? text.rounds.continued : ''}</p>
      {standing.why === 'moved-up' ? <p>{text.rounds.movedUp(standing.moved_reason)}</p> : null}
      <p>{text.rounds.called(digits(standing.called), digits(standing.before))} {standing.unexplained ? text.rounds.passed : text.rounds.nobodyPassed}</p>
      <p class="soft">{text.rounds.root} <code dir="ltr">{seal.root}</code></p>
    </div>
  )
}
