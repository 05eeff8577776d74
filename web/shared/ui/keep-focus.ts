const FIELD = 'input, textarea, select'
const HEADING = 'h1, h2, h3'
const OVER = '[role=dialog], [role=menu]'
const ROW = 'li, tr, fieldset'

/**
 * Whoever goes by the keyboard goes on where they were: what they press may go away by that, be closed to presses meanwhile, or
 * stand in a dialog that closes, and the browser would begin at the top of the page again.
 */
export function keepFocus(): void {
  let last: HTMLElement | null = null
  let over: Element | null = null
  /** Where it can go on, the nearest first; and what was so when the dialog opened. */
  let places: Element[] = []
  let below: Element[] = []
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    last = target
    const dialog = target.closest(OVER)
    if (dialog !== over) below = dialog ? places.filter(isThere) : []
    over = dialog
    places = [...new Set([...placesFrom(target, dialog), ...below])]
  })
  // A press beside everything leaves the focus, and means to.
  document.addEventListener('pointerdown', () => {
    last = null
  })
  new MutationObserver(() => {
    if (!last || document.activeElement !== document.body) return
    // A field is written in, not pressed: «Done» on a telephone's keyboard leaves it, and means to.
    if (last.isConnected && last.matches(FIELD)) return
    const [next] = [...places.filter(isThere), document.querySelector('h1')].flatMap(nextAt)
    next?.focus({ preventScroll: true }) // nothing happens while it is closed
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled'] })
}

const isThere = (each: Element) => each.isConnected

/** What has the focus; then, no further than its dialog, the headings above it, and of a row itself, the next one, and the one before. */
function placesFrom(target: Element, dialog: Element | null): Element[] {
  const found: (Element | null | undefined)[] = [target]
  for (let at = target.parentElement; at && at !== dialog; at = at.parentElement) {
    found.push([...at.querySelectorAll(HEADING)].find((each) => each.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING))
    if (at.matches(ROW)) found.push(...[at, at.nextElementSibling, at.previousElementSibling].filter((each) => each?.matches(ROW)))
  }
  return found.filter((each) => each != null)
}

/** What has the focus next; of a row its heading, if it has one. */
function nextAt(place: Element | null): HTMLElement[] {
  const next = place?.matches(ROW) ? place.querySelector(HEADING) ?? place : place
  if (!(next instanceof HTMLElement)) return []
  if (next.matches(`${HEADING}, ${ROW}`)) next.tabIndex = -1
  return [next]
}
