import { Paper } from '@mantine/core'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { sizeOf } from '../recordings/size'
import { BackupFailed } from './backup-failed'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { Latin } from '../ui/number'
import { useTitle } from '../ui/use-title'
import { type Backup, type Kept, useKept } from './queries'
import style from '../ui/rows.module.css'

/** What is kept of every kind, how long, how much it is, and whether there is a backup of it. */
export default function KeptPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  useTitle(text.kept.title)
  const query = useKept()
  return (
    <div>
      <Header me={me} page="kept"><span /></Header>
      <main className={style.page}>
        <ErrorNotice error={query.error} />
        {query.isPending && <Loading />}
        {query.data && (
          <>
            <LastBackup backup={query.data.backup} free={query.data.disk_free} total={query.data.disk_total} />
            <ul className={style.rows}>
              {query.data.items.map((kept) => <Row key={kept.kind} kept={kept} />)}
            </ul>
          </>
        )}
      </main>
    </div>
  )
}

function LastBackup({ backup, free, total }: { backup: Backup; free: number; total: number }) {
  const { text, format } = useLanguage()
  const words = text.kept
  const size = (bytes: number) => sizeOf(bytes, text.retention, format)
  const when = backup.good_at && [format.aged(backup.good_at), backup.ok && backup.size !== null ? size(backup.size) : ''].filter(Boolean).join(text.comma)
  const facts: Fact[] = [
    [backup.ok ? words.last : words.lastGood, when ?? words.never],
    [text.retention.disk, text.retention.diskOf(size(free), size(total))],
  ]
  return (
    <Paper withBorder component="section" className={`${style.card} ${style.form}`} aria-label={words.backup} data-testid="backup">
      <Facts facts={facts} />
      <BackupFailed backup={backup} />
      {!backup.wanted && <Notice tone="warning">{words.unwanted}</Notice>}
      {backup.wanted && !backup.encrypted && <Notice tone="warning">{words.plain}</Notice>}
    </Paper>
  )
}

function Row({ kept: { kind, setting, days, count, size, oldest } }: { kept: Kept }) {
  const { text, format } = useLanguage()
  const words = text.kept
  const [name, note, lasting = words.forGood] = words.kinds[kind]
  const amount = [
    count !== null && (count > 0 ? words.many(format.number(count)) : words.nothing),
    size !== null && size > 0 && sizeOf(size, text.retention, format),
  ].filter(Boolean)
  return (
    <li className={style.row} style={{ gridTemplateColumns: '2fr 1.2fr 1fr 1fr' }} data-testid={`kept-${kind}`}>
      <span>
        <strong>{name}</strong>
        <br />
        <span className={style.soft}>{note}</span>
      </span>
      <span>
        {days === null ? lasting : words.days(format.number(days))}
        {setting && <><br /><span className={style.soft}><Latin>{setting}</Latin></span></>}
      </span>
      <span>{amount.join(text.comma) || words.notSeen}</span>
      <span className={style.soft}>{oldest && words.since(format.longDate(oldest))}</span>
    </li>
  )
}
