// Runs before the first paint: who reads in the dark is not blinded first. What is kept: src/ui/scheme.ts.
{
  const { localStorage, document } = globalThis
  let kept = null
  try {
    kept = localStorage.getItem('hotline137.scheme')
  } catch {
    // A browser that keeps nothing follows its system.
  }
  const isDark = kept === 'dark' || (kept !== 'light' && globalThis.matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
}
