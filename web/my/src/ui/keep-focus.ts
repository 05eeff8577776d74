const HEADING = 'h1, h2, h3'

/**
 * Whoever goes by the keyboard goes on where they were: what they press may go away by that, or be closed to presses meanwhile,
 * and the browser would begin at the top of the page again.
 */
export function keepFocus(root: HTMLElement): void {
  let last: HTMLElement | null = null
  let around: Element[] = []
  root.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    // A field is written in, not pressed: «Done» on a telephone's keyboard leaves it, and means to.
    last = target.matches('input, textarea, select') ? null : target
    around = []
    for (let at = target.parentElement; at && root.contains(at); at = at.parentElement) around.push(at)
  })
  // A press beside everything leaves the focus, and means to.
  document.addEventListener('pointerdown', () => {
    last = null
  })
  new MutationObserver(() => {
    if (!last || document.activeElement !== document.body) return
    if (last.isConnected) last.focus({ preventScroll: true }) // nothing happens while it is closed
    else headingOf(around.filter((each) => each.isConnected))?.focus({ preventScroll: true })
  }).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled'] })
}

/** The nearest one of what is left. */
function headingOf(around: Element[]): HTMLElement | undefined {
  const heading = around.map((each) => each.querySelector<HTMLElement>(HEADING)).find((each) => each)
  if (heading) heading.tabIndex = -1
  return heading ?? undefined
}
