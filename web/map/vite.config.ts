import { defineConfig } from 'vite'

/** The ground map, fetched late by whatever page shows one: docs/decisions/0030-the-ground-map.md. */
export default defineConfig({
  root: 'map', // of web/, where npm runs
  base: '/map/assets/',
  build: {
    target: ['chrome87', 'firefox78', 'safari14'],
    outDir: '../dist/map',
    emptyOutDir: true,
    assetsDir: '',
    modulePreload: false,
    rollupOptions: {
      input: { ground: 'map/src/ground.ts', page: 'map/src/page.ts' },
      preserveEntrySignatures: 'strict',
      output: {
        entryFileNames: '[name]-[hash].js',
        chunkFileNames: 'part-[hash].js',
        assetFileNames: ({ names }) => (names[0]?.endsWith('.mjs') ? 'worker-[hash].js' : '[name]-[hash][extname]'),
      },
    },
  },
})
