import { defineConfig } from 'vite'

/** The check of the public pages, by itself under one name: docs/decisions/0033-a-history-in-the-ledger.md. */
export default defineConfig({
  publicDir: false,
  build: {
    target: ['chrome87', 'firefox78', 'safari14'],
    outDir: 'dist/assets',
    emptyOutDir: false,
    modulePreload: false,
    rollupOptions: { input: 'my/src/public-proof.ts', output: { entryFileNames: 'proof.js' } },
  },
})
