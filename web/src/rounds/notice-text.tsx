import { Paper } from '@mantine/core'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { NoticeArticle } from './notice-article'
import { useNotice } from './queries'
import cards from '../ui/cards.module.css'

/** What the city publishes about a round, ready to be copied. */
export function NoticeText({ id }: { id: number }) {
  const { text, format } = useLanguage()
  const { data, error } = useNotice(id)
  return (
    <Paper withBorder component="section" className={cards.card} aria-labelledby="notice-title" data-testid="notice">
      <h2 id="notice-title">{text.rounds.noticeText}</h2>
      <ErrorNotice error={error} />
      {data?.webhook_at && <p className={cards.counts}>{text.rounds.webhookAt(format.moment(data.webhook_at))}</p>}
      {data && Object.entries(data.texts).map(([language, notice]) => <NoticeArticle key={language} language={language} notice={notice} />)}
    </Paper>
  )
}
