import type { About, Outlines } from './types'

/** What the server says about the map of the city. */
export interface CityMap {
  about: About
  outlines: Outlines | null
}

type Read = <Said>(address: string) => Promise<Said>

/** Read a public JSON answer. Throws for an answer that is not good. */
export async function readJson<Said>(address: string): Promise<Said> {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
  return (await answer.json()) as Said
}

/** Read what the map shows, with the outlines of the districts if the city has them. Without tiles only `flat` draws them. */
export async function readCityMap(read: Read, flat = false): Promise<CityMap> {
  const about = await read<About>('/public/map.json')
  const outlines = about.districts && (flat || about.tiles) ? await read<Outlines | null>(about.districts) : null
  return { about, outlines: outlines?.features.length ? outlines : null }
}
