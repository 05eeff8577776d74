import type { About, Outlines } from '../../../map/src/types'
import { askPublic } from './ask'

/** What there is of a map: docs/map.md. */
export interface City {
  about: About
  outlines: Outlines | null
}

const KEPT = 'hotline137.my.city'

/** As it was said last: the outlines are tapped on without a network, too. */
export function knownCity(): City | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as City | null
  } catch {
    return null
  }
}

export async function askCity(): Promise<City> {
  const about = await askPublic<About>('/map.json')
  const outlines = about.districts ? await askPublic<Outlines | null>('/map/districts.json') : null
  const city = { about, outlines: outlines?.features.length ? outlines : null }
  localStorage.setItem(KEPT, JSON.stringify(city))
  return city
}
