import { Anchor, Button, CopyButton } from '@mantine/core'
import { Link } from 'wouter'
import { mayPlan } from '../api/permissions'
import type { Me, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { NoticeState } from '../rounds/facts'
import { NoticeArticle } from '../rounds/notice-article'
import { ErrorNotice } from '../ui/error-notice'
import { Tag } from '../ui/tag'
import { useTellAgain, type RoundNotice } from './queries'
import rows from '../ui/rows.module.css'
import style from './notices.module.css'

const TONES = { announced: 'good', changed: 'apart', cancelled: 'quiet' } as const

interface Props {
  me: Me
  notice: RoundNotice
  onChange: (round: Round) => void
}

/** One round's notice: where it stands, its texts to be copied, and what may be done about it. */
export function NoticeItem({ me, notice: { round, state, updated_at, post, texts }, onChange }: Props) {
  const { code, text, format, office, hours } = useLanguage()
  const words = text.notices
  const again = useTellAgain()
  const out = state !== 'planned' && state !== 'never'
  const may = mayPlan(me.role)
  /** What nobody will read is not to be copied. */
  const shown = state === 'never' ? [] : Object.entries(texts)
  const day = format.longDate(round.starts_at)
  /** What a button is for, to whoever hears it alone. */
  const of = (what: string) => words.of(what, office(round.official), day)
  const told = [
    out && words.publishedAt(format.aged(round.announce_at)),
    out && state !== 'announced' && words.updatedAt(format.aged(updated_at)),
    post && (post.state === 'sent' ? post.sent_at && text.rounds.webhookAt(format.moment(post.sent_at)) : words.post[post.state]),
    round.reason && `${text.dialog.reason}: ${round.reason}`,
  ].filter(Boolean)
  return (
    <li className={style.notice} data-testid="round-notice" data-id={round.id} data-state={state}>
      <div className={style.head}>
        <Anchor component={Link} href={`/rounds/${round.id}`} className={`${style.office} alone`}>{office(round.official)}</Anchor>
        <span>{day}{text.comma}{hours(round)}</span>
        <span className={rows.tags}>
          {out && <Tag tone={TONES[state]}>{words.state[state]}</Tag>}
          {state !== 'cancelled' && <NoticeState round={round} />}
        </span>
      </div>
      {told.length > 0 && <p className={style.told}>{told.map((one) => <span key={String(one)}>{one}</span>)}</p>}
      <div className={rows.tags}>
        {shown.map(([language, { title, body }]) => (
          <CopyButton key={language} value={`${title}\n\n${body}`}>
            {({ copied, copy }) => {
              const said = copied ? text.rounds.copied : words.copy[language as keyof typeof words.copy]
              return <Button size="compact-sm" variant="light" onClick={copy} aria-label={of(said)} data-testid={`copy-${language}`}>{said}</Button>
            }}
          </CopyButton>
        ))}
        {out && (
          <Button
            component="a" href={`/public/rounds/${String(round.id)}${code === 'en' ? '?lang=en' : ''}`} target="_blank" rel="noreferrer" size="compact-sm" variant="default"
            aria-label={of(words.publicPage)} data-testid="public-page"
          >
            {words.publicPage}
          </Button>
        )}
        {may && round.phase !== 'over' && round.phase !== 'cancelled' && (
          <Button size="compact-sm" variant="default" onClick={() => onChange(round)} aria-label={of(text.rounds.change)} data-testid="change-notice">{text.rounds.change}</Button>
        )}
        {may && post && (post.state === 'failed' || post.state === 'expired') && (
          <Button size="compact-sm" variant="default" loading={again.isPending} onClick={() => again.mutate(post.message_id)} aria-label={of(words.again)} data-testid="tell-again">{words.again}</Button>
        )}
      </div>
      <ErrorNotice error={again.error} />
      {shown.length > 0 && (
        <details className={style.texts}>
          <summary aria-label={of(words.texts)} data-testid="texts">{words.texts}</summary>
          <div className={style.both}>
            {shown.map(([language, one]) => <NoticeArticle key={language} language={language} notice={one} />)}
          </div>
        </details>
      )}
    </li>
  )
}
