import { describe, expect, it } from 'vitest'
import type { Outlines } from '../../../shared/map/types'
import { districtAt } from './district'

const square = (west: number, south: number, side: number): [number, number][] =>
  [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
const outlines: Outlines = {
  type: 'FeatureCollection',
  features: [
    { type: 'Feature', properties: { district: 3 }, geometry: { type: 'MultiPolygon', coordinates: [[square(51, 32, 1), square(51.4, 32.4, 0.2)]] } },
    { type: 'Feature', properties: { district: 7 }, geometry: { type: 'MultiPolygon', coordinates: [[square(51.4, 32.4, 0.2)], [square(53, 32, 1)]] } },
  ],
}

describe('the district of a point', () => {
  it.each([
    [32.1, 51.1, 3],
    [32.5, 51.5, 7], // in the hole of the other
    [32.5, 53.5, 7],
    [40, 51.5, null],
  ])('given %d %d when looked for then it is %s', (latitude, longitude, district) => {
    expect(districtAt(outlines, { latitude, longitude })).toBe(district)
  })
  it('given a city without outlines when looked for then it is unknown', () => {
    expect(districtAt(null, { latitude: 32.5, longitude: 51.5 })).toBeNull()
  })
})
