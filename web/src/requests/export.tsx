import { Button } from '@mantine/core'
import { mayOversee } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import type { InboxFilter } from './inbox-filter'
import style from './requests.module.css'

/** What the list shows, as a file; whole telephone numbers only for who reads citizens' histories, and only if asked for. */
export function Export({ me, inbox: { filter } }: { me: Me; inbox: InboxFilter }) {
  const { text, code } = useLanguage()
  const address = (more: [string, string][]) => {
    const asked = Object.entries(filter).flatMap(([name, value]) => [value].flat().filter(Boolean).map((one) => [name, String(one)]))
    return `/api/v1/requests.csv?${new URLSearchParams([...asked, ['language', code], ...more]).toString()}`
  }
  return (
    <div className={style.head}>
      <Button component="a" variant="default" size="xs" href={address([])} download data-testid="export">{text.requests.export}</Button>
      {mayOversee(me.role) && (
        <Button component="a" variant="subtle" size="xs" href={address([['with_numbers', 'true']])} download data-testid="export-numbers">
          {text.requests.exportNumbers}
        </Button>
      )}
    </div>
  )
}
