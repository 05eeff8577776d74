import { afterAll, vi } from 'vitest'

/** A city of fifteen districts for what is tested without a page (vite.config.ts). */
globalThis.hotline137City = {
  name: { fa: 'شهر', en: 'Town' }, municipality: { fa: 'شهرداری', en: 'Municipality' },
  tiles: Array.from({ length: 15 }, (_, index) => [index + 1, index % 5, Math.floor(index / 5)]),
}

// The files share one process (vite.config.ts): none leaves its clock or its globals to the next.
afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
