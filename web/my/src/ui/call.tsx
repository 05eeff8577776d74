import { text } from '../language/language'
import { Icon } from './icon'
import { phone } from './icons'

/** What is dangerous is told by telephone. */
export function Call({ why }: { why: string }) {
  return (
    <p class="news cancelled danger">
      <span>{why}</span>
      <a class="button" href="tel:137"><Icon of={phone} />{text.call}</a>
    </p>
  )
}
