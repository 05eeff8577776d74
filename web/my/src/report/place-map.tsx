import { useEffect, useRef, useState } from 'preact/hooks'
import type { CityMap } from '../../../shared/map/city-map'
import { showGround } from '../../../shared/map/show-ground'
import type { Ground, Place } from '../../../shared/map/types'
import type { Report } from '../kept/report'
import { language, text } from '../language/language'
import { districtAt } from './district'
import { Outlines } from './outlines'

interface Props {
  city: CityMap
  report: Report
  change: (change: Partial<Report>) => void
}

/** A tap says where it is: on the city's own ground map, and on the districts' outlines where that does not come. */
export function PlaceMap({ city, report: { point }, change }: Props) {
  const boardRef = useRef<HTMLDivElement>(null)
  const chosenRef = useRef<(place: Place) => void>(() => undefined)
  const firstRef = useRef(point)
  const [ground, setGround] = useState<Ground | null>(null)
  const [gone, setGone] = useState(!city.about.tiles)
  useEffect(() => {
    chosenRef.current = (place) => {
      const district = districtAt(city.outlines, place)
      change({ point: { ...place, metres: 0 }, ...(district ? { district } : {}) })
    }
  }, [change, city])
  useEffect(() => {
    const at = boardRef.current
    if (!at || !city.about.tiles) return
    const options = { ...city, language, mark: firstRef.current, onPlace: (place: Place) => chosenRef.current(place) }
    return showGround(at, options, setGround, () => setGone(true))
  }, [city])
  useEffect(() => ground?.mark(point), [ground, point])
  const told = ground ? text.report.mapLead : city.outlines ? text.report.outlinesLead : gone ? text.report.noMap : text.wait
  return (
    <>
      <p class="soft">{told}</p>
      <div class="map" data-drawn={ground !== null} data-testid="place-map" hidden={gone && !city.outlines}>
        <div ref={boardRef} class="board" />
        {city.outlines && !ground ? <Outlines outlines={city.outlines} point={point} change={change} /> : null}
      </div>
    </>
  )
}
