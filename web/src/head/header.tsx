import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Me } from '../api/types'
import type { Text } from '../language/fa'
import { useLanguage } from '../language/language'
import { nameOf, tabsOf, type PageOfOffice } from '../pages'
import { Clock } from '../ui/clock'
import { KEYS_OF } from '../shortcuts/keys'
import { KeysHelp } from '../shortcuts/keys-help'
import { LanguageSwitch } from '../ui/language-switch'
import { PageLink } from './page-link'
import { SchemeSwitch } from '../ui/scheme-switch'
import { useSignOut } from './use-sign-out'
import style from './header.module.css'

interface Props {
  me: Me
  /** Its name in `pages`. */
  page: string
  children: ReactNode
}

/** The head of every page behind the sign-in. */
export function Header({ me, page, children }: Props) {
  const { text, format } = useLanguage()
  const tabs = tabsOf(me, page)
  const letters = KEYS_OF[page]
  const leave = useSignOut()
  return (
    <header className={style.header} data-page={page}>
      <h1 className={style.brand}>{titleOf(me, tabs, page, text)}</h1>
      <div className={style.round}>{children}</div>
      <Clock className={style.clock} />
      <div className={style.person}>
        <Link className={style.name} href="/account" data-testid="my-account">{me.name}</Link>
        {me.desk && <span className={style.deskName}>{text.line.atDesk(format.number(me.desk.id))}</span>}
      </div>
      {letters && <KeysHelp keys={letters} />}
      <SchemeSwitch />
      <LanguageSwitch />
      <Button variant="subtle" px="xs" c="var(--ink-soft)" color="gray" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="sign-out">
        {text.signOut}
      </Button>
      {tabs.length > 1 && <Tabs pages={tabs} page={page} />}
    </header>
  )
}

/** A page that is alone is called what leads to it. */
function titleOf(me: Me, tabs: PageOfOffice[], page: string, text: Text): string | undefined {
  const here = tabs.find(({ name }) => name === page)
  return here && (tabs.length === 1 ? nameOf(me, here.destination, text) : here.title(text))
}

/** The pages of this destination of the rail. */
function Tabs({ pages, page }: { pages: PageOfOffice[]; page: string }) {
  const { text } = useLanguage()
  return (
    <nav className={style.tabs} aria-label={text.shell.tabs}>
      {pages.map((to) => (
        <PageLink key={to.name} to={to} data-testid={`to-${to.name}`} aria-current={to.name === page ? 'page' : undefined}>
          {to.title(text)}
        </PageLink>
      ))}
    </nav>
  )
}
