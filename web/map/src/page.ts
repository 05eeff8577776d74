/** The ground map on a public page: what is there without it stays, and is all that there is if it does not come. */
import type { Code } from '../../shared/language/locale'
import { readCityMap, readJson } from '../../shared/map/city-map'
import type { Spot } from '../../shared/map/types'
import { drawGround } from './ground'

interface Released {
  geometry: { coordinates: [longitude: number, latitude: number] } | null
  properties: { number: string; category_fa: string; category_en: string; text: string }
}

async function begin(at: HTMLElement): Promise<void> {
  const language: Code = document.documentElement.lang === 'en' ? 'en' : 'fa'
  const [{ about, outlines }, { features }] = await Promise.all([readCityMap(readJson), readJson<{ features: Released[] }>('/public/requests/map.geojson')])
  const spots = features.flatMap(({ geometry, properties }): Spot[] => {
    const [longitude, latitude] = geometry?.coordinates ?? []
    if (longitude === undefined || latitude === undefined) return []
    return [{ id: properties.number, longitude, latitude, says: `${properties[`category_${language}`]}: ${properties.text}` }]
  })
  const shades: Record<number, number> = {}
  document.querySelectorAll<HTMLElement>('[data-district]').forEach(({ dataset }) => {
    shades[Number(dataset.district)] = Number(dataset.shade)
  })
  const lead = (district: number) => {
    const to = document.querySelector(`[data-district="${district}"]`)?.getAttribute('href')
    if (to) location.href = to
  }
  await drawGround(at, { about, language, outlines, shades, spots, inPassing: true, onDistrict: lead })
}

const place = document.getElementById('ground')
if (place) {
  place.hidden = false
  begin(place).catch(() => {
    place.hidden = true
  })
}
