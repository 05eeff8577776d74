import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv } from 'vite'

export default defineConfig(({ mode }) => {
  const { HOTLINE_HTTP = '127.0.0.1:8137' } = loadEnv(mode, '.', 'HOTLINE_')
  return {
    plugins: [react()],
    // `npx vite` while writing pages: the API of a running system answers.
    server: { proxy: { '/api': { target: `http://${HOTLINE_HTTP}` } } },
    build: { target: 'es2022' },
  }
})
