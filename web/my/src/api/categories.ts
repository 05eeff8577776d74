import { ask } from './ask'
import type { Category, Way } from './types'

const KEPT = 'hotline137.my.categories'
const WAYS = 'hotline137.my.ways'

const known = <Said>(name: string): Said[] => {
  try {
    return JSON.parse(localStorage.getItem(name) ?? '[]') as Said[]
  } catch {
    return []
  }
}

/** What can be reported, as the API said last: the form works without a network. */
export const knownCategories = (): Category[] => known<Category>(KEPT)
export const knownWays = (): Way[] => known<Way>(WAYS)

let asking: Promise<Category[]> | null = null

/** Asked once for all that wait for it. */
export function askCategories(): Promise<Category[]> {
  asking ??= ask<Category[]>('GET', '/categories')
    .then((said) => {
      localStorage.setItem(KEPT, JSON.stringify(said))
      return said
    })
    .finally(() => {
      asking = null
    })
  return asking
}

export async function askWays(): Promise<Way[]> {
  const { ways } = await ask<{ ways: Way[] }>('GET', '/codes')
  localStorage.setItem(WAYS, JSON.stringify(ways))
  return ways
}
