import type { ExpressionSpecification, FilterSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl'
import type { Code } from '../../shared/language/locale'
import type { Outlines, Spot, Tiles } from '../../shared/map/types'
import type { Colours } from './colours'
import { labelled, nameOf } from './label'

/** What lies on the ground. */
export interface Upon {
  outlines: Outlines | null
  shades: Record<number, number>
  late: number[]
  spots: Spot[]
}

const GREEN = ['grass', 'wood', 'park', 'forest', 'garden', 'farmland', 'farm', 'orchard', 'cemetery', 'golf_course', 'pitch', 'recreation_ground', 'village_green', 'meadow', 'scrub', 'nature_reserve', 'grassland']
const LARGE = ['motorway', 'trunk', 'primary', 'highway']
const MIDDLE = ['secondary', 'tertiary', 'major_road', 'medium_road']
const digits = (language: Code, number: number) => new Intl.NumberFormat(language, { useGrouping: false }).format(number)

/** OpenMapTiles calls it `class`, Protomaps `kind`. */
const kind = ['coalesce', ['get', 'class'], ['get', 'kind'], '']
const isOf = (kinds: string[]) => ['match', kind, kinds, true, false] as unknown as ExpressionSpecification
const byRoad = (large: number, middle: number, small: number) => ['match', kind, LARGE, large, MIDDLE, middle, small]
const widths = (more: number) => [
  'interpolate', ['exponential', 1.6], ['zoom'], 9, byRoad(1 + more, 0.5, 0), 13, byRoad(4 + more, 2.5 + more, 0.8), 18, byRoad(26 + more, 20 + more, 12 + more),
] as unknown as ExpressionSpecification

/** The same layer of what either way of cutting OpenStreetMap into tiles calls it; one that is not there draws nothing. */
const each = (names: string[], of: (name: string) => object): LayerSpecification[] =>
  names.map((name) => ({ id: `${(of(name) as { id: string }).id}-${name}`, source: 'ground', 'source-layer': name, ...without(of(name)) }) as LayerSpecification)

const without = (layer: object) => Object.fromEntries(Object.entries(layer).filter(([name]) => name !== 'id'))

const roads: FilterSpecification = ['all', ['==', ['geometry-type'], 'LineString'], ['!', isOf(['ferry', 'rail', 'transit', 'aeroway'])]]

function vector(colours: Colours, language: Code): LayerSpecification[] {
  const name = nameOf(language)
  const named: FilterSpecification = ['!=', name as ExpressionSpecification, '']
  const words = (size: number, bold: boolean, more: object) => ({ 'icon-image': labelled(size, bold, name), 'icon-padding': 4, ...more })
  return [
    ...each(['landcover', 'landuse', 'park'], () => ({ id: 'green', type: 'fill', filter: isOf(GREEN), paint: { 'fill-color': colours.green } })),
    ...each(['water'], () => ({ id: 'water', type: 'fill', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colours.water } })),
    ...each(['water', 'waterway'], () => ({
      id: 'river', type: 'line', filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': colours.water, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 1, 16, 5] },
    })),
    ...each(['building', 'buildings'], () => ({ id: 'building', type: 'fill', minzoom: 14, paint: { 'fill-color': colours.building } })),
    ...each(['transportation', 'roads'], () => ({
      id: 'rail', type: 'line', filter: isOf(['rail', 'transit']), paint: { 'line-color': colours.rail, 'line-width': 1.5, 'line-dasharray': [3, 2] },
    })),
    ...each(['transportation', 'roads'], () => ({
      id: 'edge', type: 'line', minzoom: 11, filter: roads, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': colours.edge, 'line-width': widths(2) },
    })),
    ...each(['transportation', 'roads'], () => ({
      id: 'road', type: 'line', filter: roads, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': colours.road, 'line-width': widths(0) },
    })),
    ...each(['transportation_name', 'roads'], () => ({
      id: 'street', type: 'symbol', minzoom: 13, filter: named,
      layout: words(12, false, { 'symbol-placement': 'line', 'symbol-spacing': 300, 'icon-rotation-alignment': 'map' }),
    })),
    ...each(['poi', 'pois'], () => ({ id: 'landmark', type: 'symbol', minzoom: 16, filter: named, layout: words(11, false, {}) })),
    ...each(['place', 'places'], () => ({ id: 'place', type: 'symbol', filter: named, layout: words(14, true, {}) })),
  ]
}

function source(tiles: Tiles): SourceSpecification {
  const { vector: isVector, pmtiles, url, min_zoom: minzoom, max_zoom: maxzoom, bounds } = tiles
  const address = pmtiles ? `pmtiles://${new URL(url, location.href).href}/{z}/{x}/{y}` : url
  return { type: isVector ? 'vector' : 'raster', tiles: [address], minzoom, maxzoom, ...(bounds ? { bounds } : {}), ...(isVector ? {} : { tileSize: 256 }) }
}

/** Every district, how dark it is, and what is written in it. */
export const districts = ({ outlines, shades, late }: Upon, language: Code) => ({
  type: 'FeatureCollection' as const,
  features: (outlines?.features ?? []).map(({ properties: { district }, ...feature }) => ({
    ...feature, properties: { district, shade: shades[district] ?? 0, late: late.includes(district), name: digits(language, district) },
  })),
})

export const spots = ({ spots: shown }: Upon) => ({
  type: 'FeatureCollection' as const,
  features: shown.map(({ latitude, longitude, ...properties }) => ({
    type: 'Feature' as const, properties, geometry: { type: 'Point' as const, coordinates: [longitude, latitude] },
  })),
})

/** All of the map. */
export function style(tiles: Tiles, colours: Colours, language: Code, upon: Upon): StyleSpecification {
  const ground = tiles.vector ? vector(colours, language) : [{ id: 'raster', type: 'raster', source: 'ground' } satisfies LayerSpecification]
  const drawn: LayerSpecification[] = [
    { id: 'land', type: 'background', paint: { 'background-color': colours.land } },
    ...ground,
    { id: 'district', type: 'fill', source: 'districts', paint: { 'fill-color': colours.accent, 'fill-opacity': ['*', 0.09, ['get', 'shade']] } },
    { id: 'district-edge', type: 'line', source: 'districts', layout: { 'line-sort-key': ['case', ['get', 'late'], 1, 0] }, paint: { 'line-color': ['case', ['get', 'late'], colours.danger, colours.accent], 'line-width': ['case', ['get', 'late'], 3, 1.5] } },
    {
      id: 'district-name', type: 'symbol', source: 'districts', maxzoom: 14,
      layout: { 'icon-image': labelled(16, true, ['get', 'name']) as unknown as ExpressionSpecification, 'icon-padding': 0 },
    },
    {
      id: 'spots', type: 'circle', source: 'spots',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 5, 16, 9], 'circle-stroke-width': 2, 'circle-stroke-color': colours.paper,
        'circle-color': ['case', ['boolean', ['get', 'late'], false], colours.danger, colours.accent],
      },
    },
  ]
  return {
    version: 8, layers: drawn,
    sources: { ground: source(tiles), districts: { type: 'geojson', data: districts(upon, language) }, spots: { type: 'geojson', data: spots(upon) } },
  }
}
