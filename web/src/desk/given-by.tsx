import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'

/** Which desk handed this conversation over; nothing where none did. */
export function GivenBy({ callback: { given_by_desk_id } }: { callback: Callback }) {
  const { text, format } = useLanguage()
  return given_by_desk_id !== null && <p data-testid="given-by">{text.transfer.givenBy(format.number(given_by_desk_id))}</p>
}
