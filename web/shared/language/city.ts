/** What the pages call the city, and its districts: /public/city.js has said it before any script of ours. */
interface City {
  name: { fa: string; en: string }
  municipality: { fa: string; en: string }
  /** District, column and row on the schematic map, west to the left. */
  tiles: [district: number, column: number, row: number][]
}

declare global {
  var hotline137City: City | undefined
}

/** Without it (tests; a server that is away) there are no names, and no district is asked for. */
export const city: City = globalThis.hotline137City ?? { name: { fa: '', en: '' }, municipality: { fa: '', en: '' }, tiles: [] }

export const DISTRICTS = city.tiles.map(([district]) => district).sort((a, b) => a - b)
