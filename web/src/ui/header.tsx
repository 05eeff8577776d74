import { Button, Menu } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { keys } from '../api/keys'
import { signOut } from '../api/session'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { pagesOf, type PageOfOffice } from '../pages'
import { Clock } from './clock'
import { KEYS_OF } from './keys'
import { KeysHelp } from './keys-help'
import { LanguageSwitch } from './language-switch'
import style from './header.module.css'

interface Props {
  me: Me
  /** Its name in `pages`. */
  page: string
  onLeave?: () => void
  children: ReactNode
}

/** The head of every page behind the sign-in. */
export function Header({ me, page, onLeave, children }: Props) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const mine = pagesOf(me)
  const letters = KEYS_OF[page]
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      onLeave?.()
      queries.setQueryData(keys.me, null)
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] })
    },
  })
  return (
    <header className={style.header}>
      <h1 className={style.brand}>
        <span aria-hidden>{text.brandNumber}</span>
        {mine.find(({ name }) => name === page)?.title(text)}
      </h1>
      <div className={style.round}>{children}</div>
      <Clock className={style.clock} />
      <PageMenu pages={mine.filter(({ name }) => name !== page)} />
      <div className={style.person}>
        <a className={style.name} href="/account" data-testid="my-account">{me.name}</a>
        {me.desk && <span className={style.deskName}>{text.line.atDesk(format.number(me.desk.id))}</span>}
      </div>
      {letters && <KeysHelp keys={letters} />}
      <LanguageSwitch />
      <Button variant="subtle" px="xs" c="var(--ink-soft)" color="gray" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="sign-out">
        {text.signOut}
      </Button>
    </header>
  )
}

function PageMenu({ pages }: { pages: PageOfOffice[] }) {
  const { text } = useLanguage()
  if (pages.length === 0) return null
  return (
    <Menu>
      <Menu.Target>
        <Button variant="light" px="sm" data-testid="pages">{text.pages}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {/* A whole new page: leaving the desk's asks first while a citizen is on the phone. */}
        {pages.map(({ name, title }) => (
          <Menu.Item key={name} component="a" href={`/${name}`} data-testid={`to-${name}`}>{title(text)}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
