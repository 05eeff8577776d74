import {
  IconAddressBook, IconArchive, IconBuildingCommunity, IconCalendarEvent, IconChartBar, IconHeadset, IconLayoutDashboard,
  IconUserCircle, type Icon,
} from '@tabler/icons-react'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { railOf, tabsOf, type Destination } from '../pages'
import { PageLink } from '../ui/page-link'
import style from './rail.module.css'

const ICONS: Record<Destination, Icon> = {
  work: IconHeadset,
  control: IconLayoutDashboard,
  calendar: IconCalendarEvent,
  requests: IconBuildingCommunity,
  figures: IconChartBar,
  records: IconArchive,
  staff: IconAddressBook,
  account: IconUserCircle,
}

/** Where a person can go: at the side, on a phone below. A destination stays marked on each of its pages. */
export function Rail({ me, path }: { me: Me; path: string }) {
  const { text } = useLanguage()
  const here = tabsOf(me, path.split('/')[1] ?? '')[0]?.destination
  return (
    <nav className={style.rail} aria-label={text.shell.rail} data-testid="rail">
      <span className={style.brand} aria-hidden>{text.brandNumber}</span>
      {railOf(me).map(({ destination, pages: [first] }) => {
        const Icon = ICONS[destination]
        return first && (
          <PageLink
            key={destination} to={first} className={style.to} data-testid={`rail-${destination}`}
            aria-current={destination === here ? 'page' : undefined}
          >
            <Icon aria-hidden stroke={1.6} />
            <span>{text.shell.destinations[destination]}</span>
          </PageLink>
        )
      })}
    </nav>
  )
}
