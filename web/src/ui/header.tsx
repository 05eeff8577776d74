import { Anchor, Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { signOut, type Me } from '../api/calls'
import { keys } from '../api/queries'
import { useLanguage } from '../language/language'
import style from './header.module.css'

/** Who sees the rounds: whoever plans, conducts or inspects them. */
export const seesRounds = ({ role }: Me) => role !== 'operator' && role !== 'official'

interface Props {
  me: Me
  page: 'desk' | 'rounds'
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
        {page === 'desk' ? text.desk.title : text.rounds.title}
      </h1>
      <div className={style.round}>{children}</div>
      {/* A whole new page: leaving the desk's asks first while a citizen is on the phone. */}
      {seesRounds(me) && (
        <Anchor href={page === 'desk' ? '/rounds' : '/desk'}>
          {page === 'desk' ? text.rounds.title : text.desk.title}
        </Anchor>
      )}
      <div className={style.person}>
        <span>{me.name}</span>
        {me.desk && <span className={style.deskName}>{text.line.atDesk(format.number(me.desk.id))}</span>}
      </div>
      <Button variant="subtle" c="var(--ink-soft)" color="gray" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="sign-out">
        {text.signOut}
      </Button>
    </header>
  )
}
