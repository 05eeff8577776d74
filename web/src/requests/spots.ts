import { useMemo } from 'react'
import { useLanguage } from '../language/language'
import type { Place, Spot } from './ground-map'
import { useCategory } from './use-category'
import type { CityRequest } from './queries'

interface Shown {
  spots: Spot[]
  mark: Place | null
  /** In which the pointed one is: the schematic map has no points. */
  district: number | null
  /** Of so many nobody knows where they are. */
  nowhere: number
}

const placeOf = ({ latitude, longitude }: CityRequest): Place | null => (latitude === null || longitude === null ? null : { latitude, longitude })

/** What the list has shown so far, as points, and which of them is pointed at in it. */
export function useSpots(pages: { items: CityRequest[] }[] | undefined, pointed: number | null): Shown {
  const { format } = useLanguage()
  const category = useCategory()
  const found = useMemo(() => pages?.flatMap(({ items }) => items) ?? [], [pages])
  const named = found.map((request) => `${category(request.category)} · ${format.ticket(request.tracking)}`).join('\n')
  const spots = useMemo(() => {
    const names = named.split('\n')
    return found.flatMap((request, index): Spot[] => {
      const place = placeOf(request)
      return place ? [{ ...place, id: String(request.id), late: request.overdue, says: names[index] }] : []
    })
  }, [found, named])
  const at = found.find(({ id }) => id === pointed)
  const mark = useMemo(() => (at ? placeOf(at) : null), [at])
  return { spots, mark, district: at?.district ?? null, nowhere: found.length - spots.length }
}
