import { addProtocol, Map as MapOf, Marker, NavigationControl, Popup, setWorkerUrl, type GeoJSONSource, type MapMouseEvent, type MapOptions } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { Protocol } from 'pmtiles'
import type { Box, DrawGround, Ground, Options, Outlines, Place } from '../../shared/map/types'
import { coloursOf, watchColours } from './colours'
import sheet from './ground.css?url'
import { label } from './label'
import { districts, spots, style, type Upon } from './style'
import { WORDS } from './words'

const PATIENCE_MS = 20_000
const NEAR = 16
/** A tenth of a metre is more than a finger knows. */
const rounded = (degrees: number) => Math.round(degrees * 1e6) / 1e6

setWorkerUrl(new URL(worker, location.href).href)
addProtocol('pmtiles', new Protocol().tile)

/** The ground map, there as soon as the first tile is. Two of them are two maps. */
export const drawGround: DrawGround = async (at, options) => {
  await Promise.all([styled(), document.fonts.load("16px 'Vazirmatn FD'", 'آ').catch(() => null)])
  const { tiles } = options.about
  if (!tiles) throw new Error('there are no tiles')
  const { language, outlines = null, shades = {}, late = [], spots: shown = [] } = options
  const upon: Upon = { outlines, shades, late, spots: shown }
  let colours = coloursOf(at)
  const board = document.createElement('div')
  board.className = 'ground'
  board.dir = 'ltr' // east is to the right in every language
  at.append(board)
  const bounds = seen(options)
  const map = begun(board, {
    style: style(tiles, colours, language, upon), bounds: options.mark ? around(options.mark) : bounds, maxBounds: wider(bounds),
    cooperativeGestures: options.inPassing ?? false, locale: WORDS[language],
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.setMissingStyleImageResolver((id) => {
    const picture = label(id, colours, devicePixelRatio)
    if (picture && !map.hasImage(id)) map.addImage(id, picture, { pixelRatio: devicePixelRatio })
  })
  const unwatch = watchColours(() => {
    colours = coloursOf(at)
    map.setStyle(style(tiles, colours, language, upon), { diff: false })
  })
  const remove = () => {
    unwatch()
    map.remove()
    board.remove()
  }
  try {
    await firstTile(map)
  } catch (failed) {
    remove()
    throw failed
  }
  board.append(attribution(tiles.attribution))
  const mark = marking(map, options)
  listen(map, options, mark)
  board.dataset.state = 'drawn'
  return {
    showSpots: (next) => {
      upon.spots = next
      void map.getSource<GeoJSONSource>('spots')?.setData(spots(upon))
    },
    shade: (next, nextLate) => {
      Object.assign(upon, { shades: next, late: nextLate })
      void map.getSource<GeoJSONSource>('districts')?.setData(districts(upon, language))
    },
    mark, remove,
  }
}

/** Throws where nothing can be drawn in three dimensions, as a browser calls it. */
function begun(board: HTMLElement, own: Omit<MapOptions, 'container'>): MapOf {
  try {
    return new MapOf({
      container: board, fitBoundsOptions: { padding: 12 }, maxZoom: 19, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      touchPitch: false, renderWorldCopies: false, fadeDuration: 0, ...own,
    })
  } catch (failed) {
    board.remove()
    throw failed
  }
}

/** Ends when the map has drawn what it shows. Throws if not one tile of the ground came. */
function firstTile(map: MapOf): Promise<void> {
  return new Promise((drawn, failed) => {
    const seen: { tiles: number; wrong: string } = { tiles: 0, wrong: 'no tile came in time' }
    const end = () => {
      clearTimeout(timer)
      if (seen.tiles) drawn()
      else failed(new Error(seen.wrong))
    }
    const timer = setTimeout(end, PATIENCE_MS)
    map.on('sourcedata', ({ sourceId, coord }: { sourceId: string; coord?: unknown }) => {
      if (sourceId === 'ground' && coord) seen.tiles += 1
    })
    map.on('error', ({ error }) => {
      seen.wrong = error.message
    })
    void map.once('idle', end)
  })
}

/** The mark of the chosen place, which a finger may move. */
function marking(map: MapOf, { onPlace, mark }: Options): Ground['mark'] {
  const pin = new Marker({ element: Object.assign(document.createElement('div'), { className: 'ground-pin' }), anchor: 'bottom', draggable: Boolean(onPlace) })
  pin.on('dragend', () => {
    const { lat, lng } = pin.getLngLat()
    onPlace?.({ latitude: rounded(lat), longitude: rounded(lng) })
  })
  const put = (place: Place | null) => {
    if (place) pin.setLngLat([place.longitude, place.latitude]).addTo(map)
    else pin.remove()
  }
  put(mark ?? null)
  return put
}

function listen(map: MapOf, { onPlace, onSpot, onDistrict, language }: Options, mark: Ground['mark']) {
  const under = ({ point }: MapMouseEvent, layer: string) => map.queryRenderedFeatures(point, { layers: [layer] })[0]?.properties
  const said = new Popup({ maxWidth: '16rem', className: 'ground-said' })
  map.on('click', (event) => {
    const { lng, lat } = event.lngLat
    if (onPlace) {
      const place = { latitude: rounded(lat), longitude: rounded(lng) }
      mark(place)
      onPlace(place)
      return
    }
    const spot = under(event, 'spots')
    const district = under(event, 'district')
    if (typeof spot?.says === 'string') {
      said.setLngLat(event.lngLat).setText(spot.says).addTo(map)
      said.getElement().dir = language === 'fa' ? 'rtl' : 'ltr'
    }
    if (typeof spot?.id === 'string') onSpot?.(spot.id)
    else if (typeof district?.district === 'number') onDistrict?.(district.district)
  })
  map.on('mousemove', (event) => {
    const leads = under(event, 'spots') ?? (onDistrict && under(event, 'district'))
    map.getCanvas().style.cursor = onPlace ? 'crosshair' : leads ? 'pointer' : ''
  })
}

/** As text, but for the one link that a licence asks for. */
function attribution(text: string): HTMLElement {
  const shown = Object.assign(document.createElement('p'), { className: 'ground-of', dir: 'ltr' })
  const [before = '', after] = text.split('OpenStreetMap')
  shown.append(before)
  if (after !== undefined) {
    shown.append(Object.assign(document.createElement('a'), { href: 'https://www.openstreetmap.org/copyright', rel: 'noopener', target: '_blank', textContent: 'OpenStreetMap' }), after)
  }
  return shown
}

function seen({ about, outlines }: Options): Box {
  const of = outlines && boxOf(outlines)
  const [west, south, east, north] = about.bounds
  const tiles = about.tiles?.bounds ?? about.bounds
  // Of tiles for a whole country only the city.
  const both: Box = [Math.max(west, tiles[0]), Math.max(south, tiles[1]), Math.min(east, tiles[2]), Math.min(north, tiles[3])]
  return of ?? (both[0] < both[2] && both[1] < both[3] ? both : about.bounds)
}

function boxOf({ features }: Outlines): Box | null {
  const points = features.flatMap(({ geometry }) => geometry.coordinates.flat(2))
  if (!points.length) return null
  const box: Box = [180, 90, -180, -90]
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x)
    box[1] = Math.min(box[1], y)
    box[2] = Math.max(box[2], x)
    box[3] = Math.max(box[3], y)
  }
  return box
}

const wider = ([west, south, east, north]: Box): Box => [west - (east - west), south - (north - south), east + (east - west), north + (north - south)]

const around = ({ latitude, longitude }: Place): Box => {
  const half = 180 / 2 ** NEAR
  return [longitude - half, latitude - half, longitude + half, latitude + half]
}

let sheetComes: Promise<void> | undefined

/** The style sheet, once: a style in the page itself is not allowed. */
function styled(): Promise<void> {
  sheetComes ??= new Promise<void>((there, failed) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL(sheet, location.href).href })
    link.onload = () => there()
    link.onerror = () => {
      sheetComes = undefined
      link.remove()
      failed(new Error('no style sheet'))
    }
    document.head.append(link)
  })
  return sheetComes
}
