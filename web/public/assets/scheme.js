// Runs before the first paint: who reads in the dark is not blinded first, who reads English reads no Persian, the line
// that a desk saw last is on its way before any code is there, and letters wait where the line is slow. What is kept:
// src/ui/scheme.ts, src/language/provider.tsx, src/desk/desk-page.tsx, src/ui/letters.ts.
{
  const { localStorage, document, location, performance } = globalThis
  const SLOW_MS = 500
  let kept = null
  let language = null
  let round = null
  let letters = null
  try {
    kept = localStorage.getItem('hotline137.scheme')
    language = localStorage.getItem('hotline137.language')
    round = localStorage.getItem('hotline137.round')
    letters = localStorage.getItem('hotline137.letters')
  } catch {
    // A browser that keeps nothing follows its system.
  }
  const isDark = kept === 'dark' || (kept !== 'light' && globalThis.matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
  if (language === 'en') Object.assign(document.documentElement, { lang: 'en', dir: 'ltr' })
  // Since the address was opened.
  const isSlow = performance.now() > SLOW_MS
  document.documentElement.toggleAttribute('data-letters', letters !== null || !isSlow)
  if (location.pathname === '/desk' && /^\d+$/.test(round)) {
    const href = `/api/v1/rounds/${round}/registrations?offset=0&limit=100`
    document.head.append(Object.assign(document.createElement('link'), { rel: 'preload', as: 'fetch', crossOrigin: '', href }))
  }
}
