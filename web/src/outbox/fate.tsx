import { useLanguage } from '../language/language'
import { Notice } from '../ui/notice'
import { Latin } from '../ui/number'
import { useFate } from './queries'

/** What became of a message that was sent once more from here; the filter may hide its row by now. */
export function Fate({ id }: { id: number }) {
  const { text } = useLanguage()
  const words = text.outbox
  const { data: message } = useFate(id)
  if (!message) return null
  const { to, kind, state, why, trial } = message
  const over = state === 'failed' || state === 'expired'
  return (
    <div role="status" data-testid="sent-again" data-state={state}>
      <Notice tone={over ? 'error' : 'plain'}>
        {trial ? words.trial : text.citizens.messages[kind]}{text.comma}<Latin>{to}</Latin>:{' '}
        <strong>{over ? words.notSentAgain : state === 'sent' ? words.sentAgain : words.goesAgain}</strong>
        {why && <>{text.comma}{words.why[why]}</>}
      </Notice>
    </div>
  )
}
