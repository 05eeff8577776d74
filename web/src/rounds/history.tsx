import { Paper } from '@mantine/core'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Latin } from '../ui/number'
import { useHistory } from './queries'
import cards from '../ui/cards.module.css'

/** Who did what to a round, and why. */
export function History({ id }: { id: number }) {
  const { text, format, code } = useLanguage()
  const { data, error } = useHistory(id, code)
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="history-title" data-testid="history">
      <h2 id="history-title">{text.roundHistory}</h2>
      <ErrorNotice error={error} />
      <ol className={cards.plain}>
        {data?.map((entry) => (
          <li key={entry.id} className={cards.ends}>
            <span>
              <strong>{entry.action_text}</strong> {entry.reason_text}
            </span>
            <span className={cards.counts}>{format.moment(entry.at)}{text.comma}{entry.who === entry.who_text ? <Latin>{entry.who}</Latin> : <bdi>{entry.who_text}</bdi>}</span>
          </li>
        ))}
      </ol>
    </Paper>
  )
}
