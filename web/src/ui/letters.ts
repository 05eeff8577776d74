const KEPT = 'hotline137.letters'

/** What was read in the system's letters until now is written in the page's own; on a slow line they come last (public/assets/scheme.js). */
export function writeInOwnLetters(): void {
  document.documentElement.toggleAttribute('data-letters', true)
  localStorage.setItem(KEPT, 'here')
}
