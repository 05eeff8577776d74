import react from '@vitejs/plugin-react'
import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'

/** What is asked of the API, and the smallest parts of pages. */
const SMALL = /\/src\/(api\/|[\w-]+\/queries\.ts|ui\/(number|tag|call-states?|empty|use-actions|use-now|use-seconds-left|use-subject|use-title)\.tsx?|line\/reason\.tsx|language\/city-time\.ts)/

/** What every page of a desk shows: its phone, and words about its call. */
const AT_A_DESK = /\/src\/(desk\/(after-all|break-choice|browser-phone|held-left|hold-button|likely-round|microphone-loss|on-the-line|panel|phone-panel|round-select|state-word|use-begun|voice-message)|phone\/(keypad|mos|quality-parts|sound-words)|ui\/player)\.tsx?/

const chunkOf = (id: string) => (SMALL.test(id) ? 'shared' : AT_A_DESK.test(id) ? 'at-a-desk' : undefined)

export default defineConfig(({ mode }) => {
  const { HOTLINE_HTTP = '127.0.0.1:8137' } = loadEnv(mode, '.', 'HOTLINE_')
  return {
    plugins: [react()],
    // `npx vite` while writing pages: the API of a running system answers.
    server: { proxy: { '/api': { target: `http://${HOTLINE_HTTP}` }, '/public': { target: `http://${HOTLINE_HTTP}` } } },
    test: { include: ['src/**/*.test.ts'], css: true },
    build: {
      target: 'es2022',
      // One style sheet: a part of a page fetches nothing but its code.
      cssCodeSplit: false,
      // Fonts keep their names: the public pages (api/static/public.css) use them too.
      rollupOptions: {
        output: {
          // One file instead of a dozen of a few hundred bytes, most of which every page needs.
          manualChunks: chunkOf,
          assetFileNames: ({ names }) =>
            names[0]?.endsWith('.woff2') ? 'assets/[name][extname]' : 'assets/[name]-[hash][extname]',
        },
      },
    },
  }
})
