import { VisuallyHidden } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import {
  IconAddressBook, IconArchive, IconBuildingCommunity, IconCalendarEvent, IconChartBar, IconChecklist, IconHeadset, IconInbox, IconLayoutDashboard,
  IconSearch, IconSpeakerphone, IconUserCircle, IconUsers, type Icon,
} from '@tabler/icons-react'
import { Suspense, type ReactNode } from 'react'
import { mayMove } from '../api/permissions'
import type { Me } from '../api/types'
import { useAlarms } from '../control/queries'
import { useLanguage } from '../language/language'
import { nameOf, railOf, tabsOf, type Destination, type PageOfOffice } from '../pages'
import { useRequestCounts } from '../requests/queries'
import { PageLink } from '../head/page-link'
import { part } from '../ui/part'
import { useEscalations } from './queries'
import style from './rail.module.css'

/** Only a telephone’s page needs it. */
const More = part(() => import('./more'))

const ICONS: Record<Destination, Icon> = {
  work: IconHeadset,
  inbox: IconInbox,
  control: IconLayoutDashboard,
  citizens: IconUsers,
  promises: IconChecklist,
  calendar: IconCalendarEvent,
  notices: IconSpeakerphone,
  requests: IconBuildingCommunity,
  figures: IconChartBar,
  records: IconArchive,
  staff: IconAddressBook,
  account: IconUserCircle,
}

/** Beside the search and «more» so many have room below a telephone's page. */
const ON_A_PHONE = 3

interface Props {
  me: Me
  path: string
  onSearch: () => void
}

/** Where a person can go: at the side, on a phone below. A destination stays marked on each of its pages. */
export function Rail({ me, path, onSearch }: Props) {
  const { text } = useLanguage()
  const onPhone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const { data: requests } = useRequestCounts({})
  const here = tabsOf(me, path.split('/')[1] ?? '')[0]?.destination
  const all = railOf(me)
  const { data: alarms } = useAlarms(all.some(({ destination }) => destination === 'control'))
  const { data: escalations } = useEscalations(mayMove(me.role))
  const counts: Partial<Record<Destination, Count>> = {
    requests: { count: requests?.overdue ?? 0, of: text.shell.late },
    control: { count: (alarms?.length ?? 0) + (escalations?.open ?? 0), of: text.shell.alarms },
  }
  const shown = onPhone && all.length > ON_A_PHONE + 1 ? all.slice(0, ON_A_PHONE) : all
  const more = all.slice(shown.length)
  return (
    <nav className={style.rail} aria-label={text.shell.rail} data-testid="rail">
      <span className={style.brand} aria-hidden>{text.brandNumber}</span>
      <button type="button" className={style.to} title={text.shell.searchKeys} onClick={onSearch} data-testid="rail-search">
        <Inside icon={IconSearch}>{text.search.open}</Inside>
      </button>
      {shown.map(({ destination, pages: [first] }) => first && (
        <To key={destination} me={me} destination={destination} page={first} here={here} late={counts[destination]} />
      ))}
      {more.length > 0 && (
        <Suspense fallback={<span className={style.to} aria-hidden />}><More me={me} more={more} here={here} /></Suspense>
      )}
    </nav>
  )
}

/** How many there are that cannot wait, and of what. */
interface Count {
  count: number
  of: (count: string) => string
}

interface ToProps {
  me: Me
  destination: Destination
  page: PageOfOffice
  here: Destination | undefined
  late: Count | undefined
}

/** One destination of the rail. */
export function To({ me, destination, page, here, late }: ToProps) {
  const { text, format } = useLanguage()
  return (
    <PageLink to={page} className={style.to} data-testid={`rail-${destination}`} aria-current={destination === here ? 'page' : undefined}>
      <Inside icon={ICONS[destination]}>{nameOf(me, destination, text)}</Inside>
      {late && late.count > 0 && (
        <span className={style.late} data-testid={`late-${destination}`}>
          <span aria-hidden>{format.number(late.count)}</span>
          <VisuallyHidden>{late.of(format.number(late.count))}</VisuallyHidden>
        </span>
      )}
    </PageLink>
  )
}

function Inside({ icon: Icon, children }: { icon: Icon; children: ReactNode }) {
  return (
    <>
      <Icon aria-hidden stroke={1.6} />
      <span>{children}</span>
    </>
  )
}
