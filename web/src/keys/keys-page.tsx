import { Button } from '@mantine/core'
import { useState } from 'react'
import { mayAdminister } from '../api/permissions'
import { COMMAND_LINE, type Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Latin } from '../ui/number'
import { Tag } from '../ui/tag'
import { useTitle } from '../ui/use-title'
import { IssuedDialog } from './issued-dialog'
import { KeyForm } from './key-form'
import { type ApiKey, type IssuedKey, revokeKey, useApiKeys } from './queries'
import style from '../ui/rows.module.css'

/** The keys of programs that use the API: what each may, and when it last did. */
export default function KeysPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const words = text.apiKeys
  useTitle(words.title)
  const { data: found = [], isPending, error } = useApiKeys()
  const [asked, setAsked] = useState<'new' | ApiKey | null>(null)
  const [issued, setIssued] = useState<IssuedKey | null>(null)
  const keeps = mayAdminister(me.role)
  const close = () => setAsked(null)

  return (
    <div>
      <Header me={me} page="keys">
        {keeps && <Button onClick={() => setAsked('new')} data-testid="add-key">{words.add}</Button>}
      </Header>
      <main className={style.page}>
        <p className={style.soft}>{words.help}</p>
        <ErrorNotice error={error} />
        {isPending && <Loading />}
        {!isPending && found.length === 0 && <Empty>{words.none}</Empty>}
        {found.length > 0 && (
          <ul className={style.rows}>
            {found.map((one) => <Row key={one.prefix} one={one} onRevoke={keeps ? () => setAsked(one) : undefined} />)}
          </ul>
        )}
      </main>
      {asked === 'new' && (
        <KeyForm
          onClose={close}
          onIssued={(made) => {
            close()
            setIssued(made)
          }}
        />
      )}
      {asked !== null && asked !== 'new' && (
        <ConfirmDialog
          title={words.revokeTitle(asked.name)} help={words.revokeHelp} action={words.revoke} color="brick" act={() => revokeKey(asked.prefix)} onClose={close}
        />
      )}
      {issued && <IssuedDialog issued={issued} onClose={() => setIssued(null)} />}
    </div>
  )
}

function Row({ one, onRevoke }: { one: ApiKey; onRevoke?: () => void }) {
  const { text, format } = useLanguage()
  const words = text.apiKeys
  const by = one.made_by === COMMAND_LINE ? text.audit.commandLine : <Latin>{one.made_by}</Latin>
  return (
    <li
      className={style.row} style={{ gridTemplateColumns: '1.4fr 1.4fr 1.6fr 1.2fr 72px' }} data-testid="key" data-prefix={one.prefix}
      data-quiet={one.revoked_at !== null}
    >
      <span><strong>{one.name}</strong> <span className={style.soft}><Latin>{one.prefix}</Latin></span></span>
      <span>
        {one.scopes.map((scope) => words.scope[scope]).join(text.comma)}
        <span className={style.soft}>{text.comma}{words.rate(format.number(one.per_minute))}</span>
      </span>
      <span className={style.soft}>{words.made} {by}{text.comma}{format.moment(one.made_at)}</span>
      <span className={style.tags}>
        {one.revoked_at
          ? <Tag tone="warning">{words.revoked(format.moment(one.revoked_at))}</Tag>
          : <Tag tone={one.last_used_at ? 'good' : 'quiet'}>{one.last_used_at ? words.used(format.moment(one.last_used_at)) : words.unused}</Tag>}
      </span>
      {onRevoke && !one.revoked_at && (
        <Button size="compact-sm" variant="default" onClick={onRevoke} data-testid="revoke-key" w="max-content">{words.revoke}</Button>
      )}
    </li>
  )
}
