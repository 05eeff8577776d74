import { type CityMap, readCityMap } from '../../../shared/map/city-map'
import { readPublic } from './ask'

const KEPT = 'hotline137.my.city'

/** As it was said last: the outlines are tapped on without a network, too. */
export function knownCityMap(): CityMap | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as CityMap | null
  } catch {
    return null
  }
}

export async function askCityMap(): Promise<CityMap> {
  const city = await readCityMap(readPublic, true)
  localStorage.setItem(KEPT, JSON.stringify(city))
  return city
}
