import type { ReactNode } from 'react'
import { useLocation } from 'wouter'
import { useLiveInbox } from '../api/live'
import type { Me } from '../api/types'
import { useInboxCounts } from '../inbox/queries'
import { useLanguage } from '../language/language'
import { railOf, tabsOf } from '../pages'
import { To } from './rail'
import rail from './rail.module.css'
import style from './shell.module.css'

/** Around a department's pages: no call, no search; of what the server tells, that its inbox is different. */
export function DepartmentShell({ me, children }: { me: Me; children: ReactNode }) {
  const { text } = useLanguage()
  const [path] = useLocation()
  useLiveInbox()
  const { data: counts } = useInboxCounts()
  const here = tabsOf(me, path.split('/')[1] ?? '')[0]?.destination
  return (
    <div className={style.shell}>
      <nav className={rail.rail} aria-label={text.shell.rail} data-testid="rail">
        <span className={rail.brand} aria-hidden>{text.brandNumber}</span>
        {railOf(me).map(({ destination, pages: [first] }) => first && (
          <To key={destination} me={me} destination={destination} page={first} here={here} late={{ count: counts?.late ?? 0, of: text.shell.late }} />
        ))}
      </nav>
      <div className={style.content}>{children}</div>
    </div>
  )
}
