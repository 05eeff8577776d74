import { useQuery } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import type { About, DrawGround, Ground, Outlines, Place, Spot } from '../../map/src/types'
import { useLanguage } from '../language/language'
import style from './ground-map.module.css'

export type { Place, Spot } from '../../map/src/types'

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

interface City {
  about: About
  outlines: Outlines | null
}

async function read<Said>(address: string): Promise<Said> {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
  return (await answer.json()) as Said
}

const useCity = () =>
  useQuery({
    queryKey: ['ground'], staleTime: Infinity,
    queryFn: async (): Promise<City> => {
      const about = await read<About>('/public/map.json')
      return { about, outlines: about.tiles && about.districts ? await read<Outlines | null>(about.districts) : null }
    },
  })

/** The city's own ground map, if it has one (docs/map.md). Its program is fetched when the first one is shown. */
export function GroundMap({ shades, late, spots, mark, onPlace, onSpot, onDistrict, children }: Props) {
  const language = useLanguage()
  const { data: city } = useCity()
  const boardRef = useRef<HTMLDivElement>(null)
  const [ground, setGround] = useState<Ground | null>(null)
  const placed = useEffectEvent((place: Place) => onPlace?.(place))
  const spotted = useEffectEvent((id: string) => onSpot?.(id))
  const led = useEffectEvent((district: number) => onDistrict?.(district))
  const draw = useEffectEvent(async (at: HTMLElement, { about, outlines }: City) => {
    const { drawGround } = (await import(/* @vite-ignore */ about.code ?? '')) as { drawGround: DrawGround }
    return drawGround(at, {
      about, language: language.code, outlines, shades, late, spots, mark, onPlace: onPlace && placed, onSpot: onSpot && spotted,
      onDistrict: onDistrict && led,
    })
  })
  useEffect(() => {
    const at = boardRef.current
    if (!at || !city?.about.tiles) return
    let drawn: Ground | null = null
    let left = false
    draw(at, city).then((made) => {
      drawn = made
      if (left) made.remove()
      else setGround(made)
    }, () => undefined) // the schematic map stays
    return () => {
      left = true
      drawn?.remove()
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
