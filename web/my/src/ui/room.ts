import { digits } from '../language/format'
import { text } from '../language/language'

/** The last tenth of a field is counted. */
const SHARE = 0.9

/** What is said of the room that is left; nothing while there is much of it. */
export function room(typed: string, most: number): string {
  if (typed.length >= most) return text.full(digits(most))
  return typed.length >= most * SHARE ? text.left(digits(most - typed.length)) : ''
}
