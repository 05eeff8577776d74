import react from '@vitejs/plugin-react'
import { loadEnv, type Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { firstLoad } from './first-load'

/** Each icon from its own file: to read the six thousand others of the package was a quarter of the build. */
const icons: Plugin = {
  name: 'icons',
  enforce: 'pre',
  transform: (code) =>
    code.replace(/import \{([^}]+)\} from '@tabler\/icons-react'/g, (_, names: string) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name && !name.startsWith('type '))
        .map((name) => `import ${name} from '@tabler/icons-react/icons/${name}'`)
        .join(';'),
    ),
}

export default defineConfig(({ mode }) => {
  const { HOTLINE_HTTP = '127.0.0.1:8137' } = loadEnv(mode, '.', 'HOTLINE_')
  return {
    plugins: [icons, react(), firstLoad],
    // `npx vite` while writing pages: the API of a running system answers.
    server: { proxy: { '/api': { target: `http://${HOTLINE_HTTP}` }, '/public': { target: `http://${HOTLINE_HTTP}` } } },
    // What is pure is the same whoever asked before: a process for each file would be half of the work.
    test: { include: ['shared/**/*.test.ts', 'src/**/*.test.ts', 'my/src/**/*.test.ts'], setupFiles: ['./test-city.ts'], css: true, isolate: false, testTimeout: 120_000 },
    build: {
      target: 'es2022',
      // One style sheet: a part of a page fetches nothing but its code.
      cssCodeSplit: false,
      reportCompressedSize: false, // squeeze.js makes them
      // Fonts keep their names: the public pages (api/static/public.css) use them too.
      rollupOptions: {
        output: {
          // One file instead of several of a few hundred bytes, most of which every page needs.
          experimentalMinChunkSize: 4_000,
          assetFileNames: ({ names }) =>
            names[0]?.endsWith('.woff2') ? 'assets/[name][extname]' : 'assets/[name]-[hash][extname]',
        },
      },
    },
  }
})
