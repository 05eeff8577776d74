import { defineConfig, loadEnv, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { withoutScript } from './src/language/without-script'
import { fa } from './src/language/words.fa'

/** What is read before any code is there. */
const opening: Plugin = {
  name: 'opening',
  transformIndexHtml: (html) => Object.entries({ ...withoutScript, title: fa.title, brand: fa.brand, lead: fa.home.title })
    .reduce((filled, [name, words]) => filled.replaceAll(`%${name}%`, words), html),
}

/** The citizens' app, a bundle of its own beside the staff's pages: docs/decisions/0023-the-citizens-app.md. */
export default defineConfig(({ mode }) => {
  const { HOTLINE_HTTP = '127.0.0.1:8137' } = loadEnv(mode, '.', 'HOTLINE_')
  const target = `http://${HOTLINE_HTTP}`
  return {
    root: 'my', // of web/, where npm runs
    base: '/my/',
    plugins: [
      opening,
      VitePWA({
        strategies: 'injectManifest',
        srcDir: 'src',
        filename: 'sw.ts',
        injectRegister: false,
        injectManifest: { globPatterns: ['index.html', 'icon.svg', 'assets/*.{js,css}'] },
        manifest: {
          name: fa.title,
          short_name: fa.shortTitle,
          description: fa.home.lead,
          lang: 'fa',
          dir: 'rtl',
          id: '/my',
          start_url: '/my',
          scope: '/my',
          display: 'standalone',
          background_color: '#f5f3ee',
          theme_color: '#0b6f77',
          icons: [
            { src: '/my/icon-192.png', sizes: '192x192', type: 'image/png' },
            { src: '/my/icon-512.png', sizes: '512x512', type: 'image/png' },
            { src: '/my/icon-whole.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          ],
        },
      }),
    ],
    server: { proxy: { '/api': { target }, '/public': { target } } },
    build: {
      // A telephone that has been given nothing new for years has a browser of these at least.
      target: ['chrome87', 'firefox78', 'safari14'],
      outDir: '../dist/my',
      emptyOutDir: true,
      cssCodeSplit: false,
      rollupOptions: { output: { experimentalMinChunkSize: 2_000 } },
    },
  }
})
