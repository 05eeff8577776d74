/** The ground map as every bundle knows it; its program (map/src/ground.ts) is fetched late. */
import type { Code } from '../language/locale'

/** West, south, east, north, in degrees. */
export type Box = [west: number, south: number, east: number, north: number]

/** What /public/map.json says. */
export interface About {
  /** The address of the program; null: it is not built. */
  code: string | null
  /** null: there are none, draw a schematic map. */
  tiles: Tiles | null
  bounds: Box
  /** Where the outlines are; null: the city has named none. */
  districts: string | null
}

export interface Tiles {
  url: string
  pmtiles: boolean
  vector: boolean
  min_zoom: number
  max_zoom: number
  bounds: Box | null
  attribution: string
}

export interface Outlines {
  type: 'FeatureCollection'
  features: Outline[]
}

export interface Outline {
  type: 'Feature'
  properties: { district: number }
  geometry: { type: 'MultiPolygon'; coordinates: [x: number, y: number][][][] }
}

export interface Place {
  latitude: number
  longitude: number
}

/** Something on the map. */
export interface Spot extends Place {
  id: string
  late?: boolean
  /** What a pointer over it, or a tap on it, shows. */
  says?: string
}

export interface Options {
  about: About
  language: Code
  /** Drawn over the ground, and what is seen first, unless there is a mark. */
  outlines?: Outlines | null
  /** Of each district: 0 (nothing) to 4 (as much as anywhere). */
  shades?: Record<number, number>
  /** The districts in which something is late. */
  late?: number[]
  spots?: Spot[]
  mark?: Place | null
  /** Somebody tapped on the map, or moved the mark. */
  onPlace?: (place: Place) => void
  onSpot?: (id: string) => void
  onDistrict?: (district: number) => void
  /** Two fingers move it: it lies in the way of who reads on. */
  inPassing?: boolean
}

export interface Ground {
  showSpots: (spots: Spot[]) => void
  shade: (shades: Record<number, number>, late: number[]) => void
  mark: (place: Place | null) => void
  remove: () => void
}

/** Rejects where nothing can be drawn, or no tile comes: what was there before stays. */
export type DrawGround = (at: HTMLElement, options: Options) => Promise<Ground>
