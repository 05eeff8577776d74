import { render } from 'preact'
import { keepFocus } from '../../shared/ui/keep-focus'
import { askCategories, askWays } from './api/categories'
import { askCityMap } from './api/city-map'
import { App, fetchAhead } from './app'
import { beginInLanguage, text } from './language/language'
import { here } from './ui/router'
import './my.css'

const RELOADED = 'hotline137.my.reloaded'
const AT_MOST_EVERY_MS = 60_000

// A newer version of the app has come, and parts of this one are gone. What was typed is kept.
window.addEventListener('vite:preloadError', () => {
  if (!navigator.onLine || Date.now() - Number(sessionStorage.getItem(RELOADED)) < AT_MOST_EVERY_MS) return
  sessionStorage.setItem(RELOADED, String(Date.now()))
  location.reload()
})

// Whoever comes for the form waits for nothing else first.
if (here().startsWith('report')) void askCategories().catch(() => null)
async function begin(): Promise<void> {
  await beginInLanguage()
  document.title = text.title
  const root = document.getElementById('app')
  if (!root) return
  root.replaceChildren()
  render(<App />, root)
  keepFocus()
}
void begin()

async function later(): Promise<void> {
  void import('./outbox/run').then(({ keepGoingOut }) => keepGoingOut())
  await Promise.all([askCategories().catch(() => null), askWays().catch(() => null), askCityMap().catch(() => null)])
  fetchAhead()
  if ('serviceWorker' in navigator) await navigator.serviceWorker.register('/my/sw.js', { scope: '/my' })
}

/** What is read comes first: the rest is fetched when the page stands. */
if (document.readyState === 'complete') void later()
else window.addEventListener('load', () => void later())
