import { text } from '../language/language'
import { Icon } from './icon'
import { phone } from './icons'

/** Say why to dial 137, with the button that does; in red if somebody is in danger. */
export function Call({ why, danger }: { why: string; danger?: boolean }) {
  return (
    <p class={danger ? 'news call cancelled danger' : 'news call'}>
      <span>{why}</span>
      <a class="button" href="tel:137"><Icon of={phone} />{text.call}</a>
    </p>
  )
}
