import type { Outlines, Place } from '../../../shared/map/types'

type Ring = [x: number, y: number][]

/** In which district a point lies, as the city draws them; null: in none, or nothing is known of them. */
export function districtAt(outlines: Outlines | null | undefined, { latitude, longitude }: Place): number | null {
  const within = outlines?.features.find(({ geometry }) => isIn(geometry.coordinates.flat(), longitude, latitude))
  return within?.properties.district ?? null
}

/** Even-odd: a ray to the east meets the outline an odd number of times; holes are rings as well. */
function isIn(rings: Ring[], x: number, y: number): boolean {
  let inside = false
  for (const ring of rings) {
    for (let [index, before] = [0, ring.at(-1)]; index < ring.length; before = ring[index++]) {
      const [[x1, y1], [x2, y2]] = [ring[index] ?? [0, 0], before ?? [0, 0]]
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside
    }
  }
  return inside
}
