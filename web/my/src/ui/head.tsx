import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { digits } from '../language/format'

/** The heading of a page, and the title of its window. */
export function Head({ children, name }: { children?: ComponentChildren; name: string }) {
  useEffect(() => {
    document.title = `${name} · ${digits(137)}`
  }, [name])
  return <h1 tabIndex={-1}>{children ?? name}</h1>
}
