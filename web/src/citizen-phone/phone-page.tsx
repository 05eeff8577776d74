import { Center, NativeSelect, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useSearch, useLocation } from 'wouter'
import { Problem } from '../api/problem'
import { useLanguage } from '../language/language'
import { Softphone, type Account } from '../phone/softphone'
import { ErrorNotice } from '../ui/error-notice'
import { LanguageSwitch } from '../ui/language-switch'
import { Loading } from '../ui/loading'
import { Num } from '../ui/number'
import { Handset } from './handset'
import { useBrowserPhone } from './queries'
import style from './phone.module.css'

/** A citizen's telephone in the browser. `?line=2` takes the second line. */
export default function PhonePage() {
  const { text, format } = useLanguage()
  const { data, error } = useBrowserPhone()
  const search = useSearch()
  const [, go] = useLocation()

  useEffect(() => {
    document.title = `${text.citizenPhone.title} · ${text.brandNumber}`
  }, [text])

  if (error instanceof Problem && error.status === 404) {
    return <Center component="main" mih="60vh" p="lg"><Text size="lg">{text.citizenPhone.off}</Text></Center>
  }
  if (error) return <ErrorNotice error={error} />
  if (!data) return <Loading />

  const asked = Number(new URLSearchParams(search).get('line'))
  const number = data.lines[asked - 1] ? asked : 1
  const line = data.lines[number - 1]
  if (!line) return <Center component="main" mih="60vh" p="lg"><Text size="lg">{text.citizenPhone.off}</Text></Center>

  function choose(chosen: string) {
    const query = new URLSearchParams(search)
    query.set('line', chosen)
    go(`/phone?${query}`, { replace: true })
  }

  return (
    <main className={style.page}>
      <div className={style.body}>
        <div className={style.top}><LanguageSwitch /></div>
        <h1>{text.citizenPhone.title}</h1>
        <NativeSelect
          label={text.citizenPhone.line} data-testid="line-select" size="md" value={number}
          onChange={(event) => choose(event.currentTarget.value)}
          data={data.lines.map((each, index) => ({
            value: String(index + 1),
            label: text.citizenPhone.lineOption(format.number(index + 1), format.phone(each.number)),
          }))}
        />
        <p className={style.own}>
          {text.citizenPhone.ownNumber}
          <Num data-testid="own-number" data-number={line.number}>{format.phone(line.number)}</Num>
        </p>
        <Line key={line.username} account={{ ...line, websocket_url: data.websocket_url }} />
      </div>
    </main>
  )
}

/** A telephone that is registered as long as its line is chosen. */
function Line({ account }: { account: Account }) {
  const [phone, setPhone] = useState<Softphone | null>(null)
  const { websocket_url, sip_uri, username, password } = account

  useEffect(() => {
    const opened = new Softphone({ websocket_url, sip_uri, username, password })
    void opened.start().then(() => setPhone(opened))
    const close = () => opened.stop()
    addEventListener('pagehide', close)
    return () => {
      removeEventListener('pagehide', close)
      close()
    }
  }, [websocket_url, sip_uri, username, password])

  if (!phone) return <Loading />
  const host = sip_uri.split('@')[1] ?? ''
  return <Handset phone={phone} target={`sip:137@${host}`} />
}
