/** What a page's HTML asks for before its code is there (first-load.ts, public/assets/scheme.js), and the first who asks is given. */
const used = new Set<string>()
let followed = false

export function given(address: string): void {
  if (!followed) used.add(address)
}

/** From now on changes are told: an answer of before them that nobody was given yet is too old for anybody. */
export function leaveOld(): void {
  if (followed) return
  followed = true
  for (const { href } of document.querySelectorAll<HTMLLinkElement>('link[rel=preload][as=fetch]')) {
    if (!used.has(href)) fetch(href).catch(() => undefined)
  }
}
