import { useEffect, useState } from 'preact/hooks'

const BASE = '/my'
const MOVED = 'hotline137-moved'

/** Where the page is below /my, without slashes at its ends. */
export const here = (): string => location.pathname.slice(BASE.length).replace(/^\/+|\/+$/g, '')

export const address = (to: string): string => (to ? `${BASE}/${to}` : BASE)

/** Go there; in the place of where we are, if that is no place to come back to. */
export function go(to: string, { instead = false } = {}): void {
  history[instead ? 'replaceState' : 'pushState'](null, '', address(to))
  window.dispatchEvent(new Event(MOVED))
  window.scrollTo(0, 0)
  // Who hears the page hears where it is now.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus())
}

export function usePlace(): string {
  const [place, setPlace] = useState(here)
  useEffect(() => {
    const moved = () => setPlace(here())
    window.addEventListener(MOVED, moved)
    window.addEventListener('popstate', moved)
    return () => {
      window.removeEventListener(MOVED, moved)
      window.removeEventListener('popstate', moved)
    }
  }, [])
  return place
}
