import { h } from 'preact'
import type { Strokes } from '../../../shared/icons/strokes'

export function Icon({ of }: { of: Strokes }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      {of.map(([kind, { key, ...stroke }]) => h(kind, { ...stroke, key }))}
    </svg>
  )
}
