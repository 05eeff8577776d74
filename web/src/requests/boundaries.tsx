import { geoPath, geoTransform, type GeoPermissibleObjects } from 'd3-geo'
import { Link } from 'wouter'
import { useLanguage } from '../language/language'
import type { Place as Point, Spot } from './ground-map'
import type { Place } from './tiles'
import style from './requests.module.css'

interface Feature {
  type: 'Feature'
  properties: { district?: unknown } | null
}

/** Of the middle of the city: so much narrower is a degree of longitude than one of latitude. */
const NARROWER = Math.cos((32.65 * Math.PI) / 180)

/** Flat, as a city is; unlike d3's globe it does not mind in which direction a boundary runs. */
const path = geoPath(geoTransform({
  point(longitude, latitude) {
    this.stream.point(longitude * NARROWER * 1000, -latitude * 1000)
  },
}))

interface Props {
  boundaries: GeoPermissibleObjects
  places: Place[]
  spots: Spot[]
  mark: Point | null
}

const flat = ({ longitude, latitude }: Point) => ({ cx: longitude * NARROWER * 1000, cy: -latitude * 1000 })

/** The districts within the city's own boundaries (GeoJSON). */
export default function Boundaries({ boundaries, places, spots, mark }: Props) {
  const { text, format } = useLanguage()
  const features = 'features' in boundaries ? (boundaries.features as (Feature & GeoPermissibleObjects)[]) : []
  const [[left, top], [right, bottom]] = path.bounds(boundaries)
  const width = right - left
  return (
    <svg
      viewBox={`${left} ${top} ${width} ${bottom - top}`} className={style.map} role="group" aria-label={text.map.title}
      fontSize={width / 22} data-testid="boundaries"
    >
      {features.map((feature) => {
        const place = places.find(({ district }) => district === Number(feature.properties?.district))
        const [x, y] = path.centroid(feature)
        return place && (
          <Link
            key={place.district} href={place.href} aria-label={place.label} className={style.tile} data-shade={place.shade}
            data-late={place.late} data-testid="tile" data-district={place.district}
          >
            <path d={path(feature) ?? ''} />
            <text x={x} y={y} fontSize="inherit">{format.number(place.district)}</text>
          </Link>
        )
      })}
      {/* A pointer's way to them; a keyboard has the list. */}
      {spots.map((spot) => (
        <Link key={spot.id} href={`/requests/${spot.id}`} className={style.spot} data-late={spot.late} tabIndex={-1} aria-hidden data-testid="spot">
          <circle {...flat(spot)} r={width / 90}><title>{spot.says}</title></circle>
        </Link>
      ))}
      {mark && <circle {...flat(mark)} r={width / 45} className={style.marked} data-testid="marked" />}
    </svg>
  )
}
