import { useEffect } from 'react'
import { routes } from './routes'

const isPage = (name: string): name is keyof typeof routes => name in routes

/** A link that is pointed at, or comes next on the keyboard, is likely followed: the page's code is fetched meanwhile. */
function ahead({ target }: Event): void {
  const link = target instanceof Element ? target.closest('a') : null
  if (link instanceof HTMLAnchorElement) fetchPage(link.pathname)
}

/** The code of the page at an address, if it is one behind the sign-in. */
export function fetchPage(path: string): void {
  const [, name = '', one] = (path.split('?')[0] ?? '').split('/')
  if (!isPage(name)) return
  const { component, below } = routes[name]
  void (one ? below : component)?.fetchAhead()
}

/** In every page of this window. */
export function useFetchAhead(): void {
  useEffect(() => {
    const events = ['pointerover', 'focusin']
    events.forEach((event) => addEventListener(event, ahead))
    return () => events.forEach((event) => removeEventListener(event, ahead))
  }, [])
}
