import type { Detail, HistoryProof } from '../api/types'
import { digits } from '../language/format'
import { text } from '../language/language'
import { Proven } from '../ledger/proven'
import { saysSo } from './says-so'

/** That the history is, step by step, what the public ledger has sealed. */
export const Sealed = ({ request }: { request: Detail }) => (
  <>
    <p class="soft">{text.ledger.sealed}</p>
    <Proven<HistoryProof> path={`/requests/${request.tracking}/proof`} right={(said) => saysSo(said, request)}>
      {({ said, seal, continued }) => (
        <div class="news">
          <p>{text.ledger.history(digits(said.lines.length), digits(seal.size))} {continued ? text.ledger.continued : ''}</p>
          <p class="soft">{text.ledger.root} <code dir="ltr">{seal.root}</code></p>
        </div>
      )}
    </Proven>
  </>
)
