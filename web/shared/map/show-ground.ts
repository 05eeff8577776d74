import type { DrawGround, Ground, Options } from './types'

/**
 * Fetch the map's program and draw the map. Return a function that removes the map, drawn or not yet.
 * Calls `failed` if the program does not come, or cannot draw.
 */
export function showGround(at: HTMLElement, options: Options, shown: (ground: Ground) => void, failed: () => void): () => void {
  let drawn: Ground | null = null
  let left = false
  const draw = async () => {
    const { drawGround } = (await import(/* @vite-ignore */ options.about.code ?? '')) as { drawGround: DrawGround }
    const made = await drawGround(at, options)
    if (left) made.remove()
    else shown(drawn = made)
  }
  draw().catch(failed)
  return () => {
    left = true
    drawn?.remove()
  }
}
