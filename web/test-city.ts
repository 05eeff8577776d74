/** A city of fifteen districts for what is tested without a page (vite.config.ts). */
globalThis.hotline137City = {
  name: { fa: 'شهر', en: 'Town' }, municipality: { fa: 'شهرداری', en: 'Municipality' },
  tiles: Array.from({ length: 15 }, (_, index) => [index + 1, index % 5, Math.floor(index / 5)]),
}

export {}
