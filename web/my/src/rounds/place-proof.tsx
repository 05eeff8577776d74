import type { Standing } from '../api/types'
import { digits } from '../language/format'
import { text } from '../language/language'
import type { Checked } from '../ledger/check'
import { Proven } from '../ledger/proven'

/** Why my place is where it is, checked against the public ledger. */
export const PlaceProof = ({ ticket }: { ticket: string }) => (
  <Proven<Standing> path={`/places/${ticket}`}>{(checked) => <Why checked={checked} />}</Proven>
)

function Why({ checked: { said, seal, continued } }: { checked: Checked<Standing> }) {
  return (
    <div class={said.unexplained ? 'news cancelled' : 'news'}>
      <p>{text.ledger.proven(digits(said.lines.length), digits(seal.size))} {continued ? text.ledger.continued : ''}</p>
      {said.why === 'moved-up' ? <p>{text.rounds.movedUp(said.moved_reason)}</p> : null}
      <p>{text.rounds.called(digits(said.called), digits(said.before))} {said.unexplained ? text.rounds.passed : text.rounds.nobodyPassed}</p>
      <p class="soft">{text.ledger.root} <code dir="ltr">{seal.root}</code></p>
    </div>
  )
}
