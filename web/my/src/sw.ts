/** What the app opens with when there is no network. What the API says is kept by nobody but the app itself. */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { StaleWhileRevalidate } from 'workbox-strategies'

declare const self: ServiceWorkerGlobalScope

/** The look that the app has from the public pages, which are not built with it. */
const LOOK = [
  '/public/static/public.css', '/public/city.css', '/assets/girih.svg', '/assets/Vazirmatn-FD-NL-Regular.woff2',
  '/assets/Vazirmatn-FD-NL-Bold.woff2',
]
const kept = new Set([...LOOK, '/public/emblem'])

precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
registerRoute(new NavigationRoute(createHandlerBoundToURL('/my/index.html'), { allowlist: [/^\/my(\/|$)/] }))
registerRoute(({ url, sameOrigin }) => sameOrigin && kept.has(url.pathname), new StaleWhileRevalidate({ cacheName: 'look' }))

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open('look').then((cache) => cache.addAll(LOOK)))
  void self.skipWaiting() // what is typed is kept: a page whose parts are gone is loaded anew (main.tsx)
})
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
