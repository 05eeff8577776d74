import { Anchor } from '@mantine/core'
import { Link, useLocation } from 'wouter'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { home, pages } from '../pages'
import { useTitle } from '../ui/use-title'
import rows from '../ui/rows.module.css'

/** An address that leads nowhere, or not for this person; and the way to their work. */
export default function NotHere({ me }: { me: Me }) {
  const { text } = useLanguage()
  const [path] = useLocation()
  const words = text.shell.notHere
  const there = pages.find(({ name }) => name === path.split('/')[1])
  useTitle(words.title)
  return (
    <main className={rows.page} data-testid="not-here">
      <h1>{words.title}</h1>
      <p>{there && !there.isFor(me) ? words.notForYou(there.title(text)) : words.nothing}</p>
      <Anchor component={Link} href={home(me)}>{words.home}</Anchor>
    </main>
  )
}
