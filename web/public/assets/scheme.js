// Runs before the first paint: who reads in the dark is not blinded first, who reads English reads no Persian. What is
// kept: src/ui/scheme.ts, src/language/provider.tsx.
{
  const { localStorage, document } = globalThis
  let kept = null
  let language = null
  try {
    kept = localStorage.getItem('hotline137.scheme')
    language = localStorage.getItem('hotline137.language')
  } catch {
    // A browser that keeps nothing follows its system.
  }
  const isDark = kept === 'dark' || (kept !== 'light' && globalThis.matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
  if (language === 'en') Object.assign(document.documentElement, { lang: 'en', dir: 'ltr' })
}
