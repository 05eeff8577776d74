import { Button, CopyButton, Group, Paper } from '@mantine/core'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useNotice } from './queries'
import style from '../ui/plans.module.css'

/** What the city publishes about a round, ready to be copied. */
export function NoticeText({ id }: { id: number }) {
  const { direction, text, format } = useLanguage()
  const { data, error } = useNotice(id)
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="notice-title" data-testid="notice">
      <h2 id="notice-title">{text.rounds.noticeText}</h2>
      <ErrorNotice error={error} />
      {data?.webhook_at && <p className={style.counts}>{text.rounds.webhookAt(format.moment(data.webhook_at))}</p>}
      {data && Object.entries(data.texts).map(([language, { title, body, short }]) => (
        <article key={language} lang={language} dir={language === 'fa' ? 'rtl' : 'ltr'} className={style.notice}>
          <h3>{title}</h3>
          <p>{body}</p>
          <Group justify="flex-end">
            <CopyButton value={short}>
              {({ copied, copy }) => (
                <Button size="compact-sm" variant="subtle" onClick={copy} dir={direction}>{copied ? text.rounds.copied : text.rounds.copy}</Button>
              )}
            </CopyButton>
          </Group>
        </article>
      ))}
    </Paper>
  )
}
