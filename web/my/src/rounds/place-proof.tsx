import type { Standing } from '../api/types'
import { digits } from '../language/format'
import { text } from '../language/language'
import type { Checked } from '../ledger/check'
import { movedUp, readMeanwhile, type Meanwhile } from '../ledger/meanwhile'
import { Proven } from '../ledger/proven'

type Found = Meanwhile | null

/** Why my place is where it is, checked against the public ledger. */
export const PlaceProof = ({ ticket }: { ticket: string }) => (
  <Proven<Standing, Found> path={`/places/${ticket}`} further={({ said, seal }) => readMeanwhile(said.lines.map(({ line }) => line), seal)}>
    {(checked, found) => <Why checked={checked} found={found} />}
  </Proven>
)

function Why({ checked: { said, seal, continued }, found }: { checked: Checked<Standing>; found: Found | undefined }) {
  const moved = movedUp(said.lines.map(({ line }) => line))
  return (
    <div class={found?.unexplained ? 'news cancelled' : 'news'}>
      <p>{text.ledger.proven(digits(said.lines.length), digits(seal.size))} {continued ? text.ledger.continued : ''}</p>
      {moved ? <p>{text.rounds.movedUp(moved)}</p> : null}
      {found ? (
        <p data-testid="meanwhile">{text.rounds.called(digits(found.entries), digits(found.called), digits(found.before))} {found.unexplained ? text.rounds.passed : text.rounds.nobodyPassed}</p>
      ) : <p data-testid="meanwhile-unread">{text.rounds.unread(digits(said.called), digits(said.before))}</p>}
      <p class="soft">{text.ledger.root} <code dir="ltr">{seal.root}</code></p>
    </div>
  )
}
