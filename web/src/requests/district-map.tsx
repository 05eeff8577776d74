import { NativeSelect, Paper } from '@mantine/core'
import { Suspense, useMemo } from 'react'
import { Link, useLocation } from 'wouter'
import { city } from '../../shared/language/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { GroundMap } from './ground-map'
import { part } from '../ui/part'
import { Table } from '../ui/table'
import type { InboxFilter } from './inbox-filter'
import { districtName } from './names'
import { type DistrictCounts, useBoundaries, useRequestMap, useRequests } from './queries'
import { useSpots } from './spots'
import type { Place } from './tiles'
import style from './requests.module.css'

const Boundaries = part(() => import('./boundaries'))
const DAYS = ['7', '30', '90', '365']
const SIZE = 92
const STEP = 100

const isDrawn = ({ district }: DistrictCounts) => city.tiles.some(([drawn]) => drawn === district)

interface Props {
  inbox: InboxFilter
  /** The request in the list that a pointer or the keyboard is on. */
  pointed: number | null
}

/**
 * Open and overdue requests by district: a picture, each district of which is a link, and a table. On the ground map, or
 * within the city's boundaries, lies what the list beside it shows; the list is the way there with a keyboard.
 */
export function DistrictMap({ inbox, pointed }: Props) {
  const { text, format } = useLanguage()
  const { common, days } = inbox
  const { data = [], error } = useRequestMap({ category: common.category, department_id: common.department_id, mine: common.mine, days })
  const { data: boundaries } = useBoundaries()
  const [, go] = useLocation()
  const most = Math.max(1, ...data.filter(isDrawn).map(({ open }) => open))
  const places = city.tiles.map(([district]): Place => {
    const { open = 0, overdue = 0 } = data.find((one) => one.district === district) ?? {}
    return {
      district, href: inbox.address({ district: String(district), view: undefined }), late: overdue > 0,
      label: text.map.tile(format.number(district), format.number(open), format.number(overdue)),
      shade: Math.ceil((open / most) * 4), open: format.number(open),
    }
  })
  const unplaced = data.filter((one) => !isDrawn(one)).reduce((sum, { open }) => sum + open, 0)
  const { data: list } = useRequests(inbox.filter)
  const { spots, mark, district: at, nowhere } = useSpots(list?.pages, pointed)
  const seen = JSON.stringify(places.map(({ district, shade, late }) => [district, shade, late]))
  const { shades, late } = useMemo(() => {
    const known = JSON.parse(seen) as [district: number, shade: number, late: boolean][]
    return { shades: Object.fromEntries(known.map(([district, shade]) => [district, shade])), late: known.filter(([, , isLate]) => isLate).map(([district]) => district) }
  }, [seen])
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="map-title" data-testid="map">
      <div className={style.mapHead}>
        <h2 id="map-title">{text.map.title}</h2>
        <NativeSelect
          aria-label={text.map.days} value={days ?? 'all'} data-testid="map-days" size="xs"
          data={[...DAYS.map((one) => ({ value: one, label: text.map.lastDays(format.digits(one)) })), { value: 'all', label: text.map.allDays }]}
          onChange={(event) => inbox.change({ days: event.currentTarget.value })}
        />
      </div>
      <ErrorNotice error={error} />
      <GroundMap shades={shades} late={late} spots={spots} mark={mark} onSpot={(id) => go(`/requests/${id}`)} onDistrict={(district) => go(inbox.address({ district: String(district), view: undefined }))}>
        {boundaries
          ? <Suspense><Boundaries boundaries={boundaries} places={places} spots={spots} mark={mark} /></Suspense>
          : <Tiles places={places} chosen={at ?? common.district} />}
      </GroundMap>
      {unplaced > 0 && <p className={style.soft} data-testid="unplaced">{text.map.unplaced(format.number(unplaced))}</p>}
      {nowhere > 0 && <p className={style.soft} data-testid="nowhere">{text.map.nowhere(format.number(nowhere))}</p>}
      <p className={style.legend}>
        <span>{text.map.few}</span>
        {[0, 1, 2, 3, 4].map((shade) => <i key={shade} data-shade={shade} />)}
        <span>{text.map.many}</span>
        <i data-late /> <span>{text.map.late}</span>
      </p>
      <details>
        <summary>{text.map.table}</summary>
        <Numbers rows={data} inbox={inbox} />
      </details>
    </Paper>
  )
}

function Tiles({ places, chosen }: { places: Place[]; chosen: number | null | undefined }) {
  const { text, format } = useLanguage()
  const [across, down] = [1, 2].map((at) => (Math.max(0, ...city.tiles.map((tile) => tile[at] ?? 0)) + 1) * STEP)
  return (
    <svg viewBox={`0 0 ${across} ${down}`} className={style.map} role="group" aria-label={text.map.schematic} direction="ltr">
      {city.tiles.map(([district, column, row], index) => {
        const place = places[index]
        return place && (
          <Link
            key={district} href={place.href} aria-label={place.label} className={style.tile} data-shade={place.shade}
            data-late={place.late} data-chosen={chosen === district} data-testid="tile" data-district={district}
          >
            <rect x={column * STEP + 4} y={row * STEP + 4} width={SIZE} height={SIZE} rx={12} />
            <text x={column * STEP + 50} y={row * STEP + 44} className={style.tileNumber}>{format.number(district)}</text>{' '}
            <text x={column * STEP + 50} y={row * STEP + 76}>{place.open}</text>
            {place.late && <circle cx={column * STEP + 84} cy={row * STEP + 18} r={8} />}
          </Link>
        )
      })}
    </svg>
  )
}

function Numbers({ rows, inbox }: { rows: DistrictCounts[]; inbox: InboxFilter }) {
  const language = useLanguage()
  const { text, format } = language
  const sorted = [...rows].sort((a, b) => (a.district ?? 99) - (b.district ?? 99))
  return (
    <Table
      title={text.map.table} columns={[text.requests.district, text.map.reported, text.map.open, text.map.overdue]} data-testid="map-table"
      rows={sorted.map(({ district, reported, open, overdue }) => [
        district === null ? districtName(language, null) : (
          <Link key="to" href={inbox.address({ district: String(district), view: undefined })}>{districtName(language, district)}</Link>
        ),
        ...[reported, open, overdue].map(format.number),
      ])}
    />
  )
}
