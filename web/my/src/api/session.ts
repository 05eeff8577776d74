/** Whether somebody is signed in here. The cookies are out of our reach: what is known is what the API said last. */
const NUMBER = 'hotline137.my.number'

const told = new Set<() => void>()

/** The masked number; empty if nobody is signed in. */
export const number = (): string => localStorage.getItem(NUMBER) ?? ''

export function setNumber(masked: string): void {
  if (masked === number()) return
  if (masked) localStorage.setItem(NUMBER, masked)
  else localStorage.removeItem(NUMBER)
  told.forEach((tell) => tell())
}

/** Tells when it changes, by another tab, too; gives the function that ends it. */
export function watchNumber(tell: () => void): () => void {
  const elsewhere = (event: StorageEvent) => {
    if (event.key === NUMBER) tell()
  }
  told.add(tell)
  window.addEventListener('storage', elsewhere)
  return () => {
    told.delete(tell)
    window.removeEventListener('storage', elsewhere)
  }
}
