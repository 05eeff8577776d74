import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv } from 'vite'

export default defineConfig(({ mode }) => {
  const { HOTLINE_HTTP = '127.0.0.1:8137' } = loadEnv(mode, '.', 'HOTLINE_')
  return {
    plugins: [react()],
    // `npx vite` while writing pages: the API of a running system answers.
    server: { proxy: { '/api': { target: `http://${HOTLINE_HTTP}` } } },
    build: {
      target: 'es2022',
      // One style sheet: a part of a page fetches nothing but its code.
      cssCodeSplit: false,
      // Fonts keep their names: the public pages (api/static/public.css) use them too.
      rollupOptions: {
        output: {
          assetFileNames: ({ names }) =>
            names[0]?.endsWith('.woff2') ? 'assets/[name][extname]' : 'assets/[name]-[hash][extname]',
        },
      },
    },
  }
})
