/** What the app opens with when there is no network. What the API says is kept by nobody but the app itself. */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { StaleWhileRevalidate } from 'workbox-strategies'
import { addressOf, noticeOf } from './notice'

declare const self: ServiceWorkerGlobalScope

/** The look that the app has from the public pages, which are not built with it. */
const LOOK = [
  '/public/static/public.css', '/public/city.css', '/public/city.js', '/assets/girih.svg', '/assets/Vazirmatn-FD-NL-Regular.woff2',
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

/** The city has news of a request (scheduler/push.py): it says which, and the app says what. */
self.addEventListener('push', (event) => {
  const { title, ...shown } = noticeOf(event.data)
  event.waitUntil(self.registration.showNotification(title, shown))
})
self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(show(addressOf(event.notification.data)))
})

async function show(address: string): Promise<void> {
  const [open] = await self.clients.matchAll({ type: 'window' })
  if (!open) await self.clients.openWindow(address)
  else await (await open.focus().catch(() => open)).navigate(address)
}
