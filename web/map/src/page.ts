/** The ground map on a public page: what is there without it stays, and is all that there is if it does not come. */
import { drawGround } from './ground'
import type { About, Language, Outlines, Spot } from './types'

interface Released {
  geometry: { coordinates: [longitude: number, latitude: number] } | null
  properties: { number: string; category_fa: string; category_en: string; text: string }
}

async function read<Said>(address: string): Promise<Said> {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
  return (await answer.json()) as Said
}

async function begin(at: HTMLElement): Promise<void> {
  const language: Language = document.documentElement.lang === 'en' ? 'en' : 'fa'
  const [about, { features }] = await Promise.all([read<About>('/public/map.json'), read<{ features: Released[] }>('/public/requests/map.geojson')])
  const outlines = about.districts ? await read<Outlines | null>(about.districts) : null
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
