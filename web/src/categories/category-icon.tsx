import { createElement } from 'react'
import { CATEGORY_ICONS } from '../../shared/icons/categories'

/** The icon of a category, by its name in the API; nothing if the name is unknown. */
export function CategoryIcon({ name }: { name: string }) {
  const strokes = CATEGORY_ICONS[name]
  if (!strokes) return null
  return (
    <svg aria-hidden width={24} height={24} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round">
      {strokes.map(([kind, { key, ...stroke }]) => createElement(kind, { ...stroke, key }))}
    </svg>
  )
}
