import { Paper } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { PasswordForm } from './password-form'
import { PinForm } from './pin-form'
import { useAccount } from './queries'
import { SecondFactor } from './second-factor'
import { Sessions } from './sessions'
import style from './account.module.css'

export default function AccountPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  const { data: account, error, isPending } = useAccount()
  return (
    <>
      <Header me={me} page="account">{null}</Header>
      <main className={style.page}>
        {isPending && <Loading />}
        {!account && <ErrorNotice error={error} />}
        {account && (
          <>
            <div className={style.column}>
              {!account.from_directory && <Card title={text.account.password.title}><PasswordForm username={me.username} /></Card>}
              <Card title={text.account.factor.title}><SecondFactor account={account} /></Card>
            </div>
            <div className={style.column}>
              <Card title={text.account.sessions.title}><Sessions sessions={account.sessions} /></Card>
              {me.desk && <Card title={text.account.pin.title}><PinForm hasPin={account.has_pin} /></Card>}
            </div>
          </>
        )}
      </main>
    </>
  )
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="lg" radius="lg" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </Paper>
  )
}
