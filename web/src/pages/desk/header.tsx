import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { signOut, type Me } from '../../api/calls'
import { keys } from '../../api/queries'
import { useLanguage } from '../../language/language'
import style from './desk.module.css'

export function Header({ me, onLeave, children }: { me: Me; onLeave: () => void; children: React.ReactNode }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      onLeave()
      queries.setQueryData(keys.me, null)
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] })
    },
  })
  return (
    <header className={style.header}>
      <h1 className={style.brand}>
        <span aria-hidden>{text.brandNumber}</span>
        {text.desk.title}
      </h1>
      <div className={style.round}>{children}</div>
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
