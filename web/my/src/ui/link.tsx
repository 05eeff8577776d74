import type { ComponentChildren } from 'preact'
import { address, go } from './router'

interface Props {
  to: string
  children: ComponentChildren
  class?: string
  current?: boolean
}

/** A link within the app: nothing is loaded anew. */
export function Link({ to, children, class: name, current = false }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    go(to)
  }
  return <a href={address(to)} class={name} aria-current={current ? 'page' : undefined} onClick={follow}>{children}</a>
}
