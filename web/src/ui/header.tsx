import { Anchor, Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { signOut, type Me } from '../api/calls'
import { keys } from '../api/queries'
import { useLanguage } from '../language/language'
import { LanguageSwitch } from './language-switch'
import style from './header.module.css'

/** Who sees the rounds: whoever plans, conducts or inspects them. */
export const seesRounds = ({ role }: Me) => role !== 'operator' && role !== 'official'

type Page = 'desk' | 'official' | 'beside' | 'rounds'

/** Whoever has a desk may serve a round from it, or sit beside whoever does. */
const pagesOf = (me: Me): Page[] =>
  [...(me.desk ? ['desk', 'official', 'beside'] as const : []), ...(seesRounds(me) ? ['rounds'] as const : [])]

interface Props {
  me: Me
  page: Page
  onLeave?: () => void
  children: ReactNode
}

/** The head of every page behind the sign-in. */
export function Header({ me, page, onLeave, children }: Props) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
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
        {text[page].title}
      </h1>
      <div className={style.round}>{children}</div>
      {/* A whole new page: leaving the desk's asks first while a citizen is on the phone. */}
      <nav className={style.pages}>
        {pagesOf(me).filter((other) => other !== page).map((other) => (
          <Anchor key={other} href={`/${other}`} data-testid={`to-${other}`}>{text[other].title}</Anchor>
        ))}
      </nav>
      <div className={style.person}>
        <span>{me.name}</span>
        {me.desk && <span className={style.deskName}>{text.line.atDesk(format.number(me.desk.id))}</span>}
      </div>
      <LanguageSwitch />
      <Button variant="subtle" px="xs" c="var(--ink-soft)" color="gray" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="sign-out">
        {text.signOut}
      </Button>
    </header>
  )
}
