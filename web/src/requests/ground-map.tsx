import { useQuery } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import { type CityMap, readCityMap, readJson } from '../../shared/map/city-map'
import { showGround } from '../../shared/map/show-ground'
import type { Ground, Options, Place, Spot } from '../../shared/map/types'
import { useLanguage } from '../language/language'
import style from './ground-map.module.css'

export type { Place, Spot } from '../../shared/map/types'

interface Props {
  shades?: Record<number, number>
  /** The districts in which something is late. */
  late?: number[]
  spots?: Spot[]
  mark?: Place | null
  onPlace?: (place: Place) => void
  onSpot?: (id: string) => void
  onDistrict?: (district: number) => void
  /** What is there until the ground is drawn, and stays where it cannot be: a schematic map. */
  children: ReactNode
}

const useCityMap = () => useQuery({ queryKey: ['ground'], staleTime: Infinity, queryFn: () => readCityMap(readJson) })

/** The city's own ground map, if it has one (docs/map.md). Its program is fetched when the first one is shown. */
export function GroundMap({ shades, late, spots, mark, onPlace, onSpot, onDistrict, children }: Props) {
  const language = useLanguage()
  const { data: city } = useCityMap()
  const boardRef = useRef<HTMLDivElement>(null)
  const [ground, setGround] = useState<Ground | null>(null)
  const placed = useEffectEvent((place: Place) => onPlace?.(place))
  const spotted = useEffectEvent((id: string) => onSpot?.(id))
  const led = useEffectEvent((district: number) => onDistrict?.(district))
  const optionsOf = useEffectEvent(({ about, outlines }: CityMap): Options => ({
    about, language: language.code, outlines, shades, late, spots, mark, onPlace: onPlace && placed, onSpot: onSpot && spotted,
    onDistrict: onDistrict && led,
  }))
  useEffect(() => {
    const at = boardRef.current
    if (!at || !city?.about.tiles) return
    const remove = showGround(at, optionsOf(city), setGround, () => undefined) // the schematic map stays
    return () => {
      remove()
      setGround(null)
    }
  }, [city, language.code])
  useEffect(() => ground?.showSpots(spots ?? []), [ground, spots])
  useEffect(() => ground?.shade(shades ?? {}, late ?? []), [ground, shades, late])
  useEffect(() => ground?.mark(mark ?? null), [ground, mark])
  return (
    <div className={style.map} data-drawn={ground !== null} data-testid="ground-map">
      <div ref={boardRef} className={style.board} />
      <div className={style.schematic}>{children}</div>
    </div>
  )
}
