import type { Plugin, Rollup } from 'vite'
import { en } from './src/language/en'
import { fa } from './src/language/fa'
import { pages, type PageOfOffice } from './src/pages'

type Page = Pick<PageOfOffice, 'name' | 'title'>

const SIGN_IN: Page = { name: 'sign-in', title: (text) => text.signIn.title }

/**
 * What a browser on a slow line shows first: for each page an HTML file of its own, which has the page's head to read and
 * asks for its code, and whose it is, together with everybody's. `api/web.py` serves it at the page's address.
 */
export const firstLoad: Plugin = {
  name: 'first-load',
  enforce: 'post',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      const index = bundle['index.html']
      if (index?.type !== 'asset') throw new Error('there is no index.html')
      const html = painted(String(index.source))
      index.source = html
      for (const page of [...pages, SIGN_IN]) {
        this.emitFile({ type: 'asset', fileName: `${page.name}.html`, source: opening(html, page, codeOf(page, bundle)) })
      }
    },
  },
}

/** Styles after what is to be read without them, before what is drawn with them: the code waits for them. */
function painted(html: string): string {
  const [styles = ''] = /<link rel="stylesheet" crossorigin [^>]+>/.exec(html) ?? []
  if (!styles) throw new Error('there is no style sheet')
  return html.replace(styles, '').replace('<div id="root">', `${styles}\n    <div id="root">`)
}

/** The code of a page, with all that it imports. */
function codeOf({ name }: Page, bundle: Rollup.OutputBundle): string[] {
  const found = new Set<string>()
  const add = (file: string) => {
    const chunk = bundle[file]
    if (chunk?.type !== 'chunk' || chunk.isEntry || found.has(file)) return
    found.add(file)
    chunk.imports.forEach(add)
  }
  const own = Object.values(bundle).find((one) => one.type === 'chunk' && one.moduleIds.some((id) => id.endsWith(`/${name}-page.tsx`)))
  if (!own) throw new Error(`there is no ${name}-page.tsx`)
  add(own.fileName)
  return [...found]
}

/** What a page asks for, whoever is at it. */
const ASKED: Partial<Record<string, string>> = {
  desk: '/api/v1/rounds', official: '/api/v1/rounds', assist: '/api/v1/rounds', control: '/api/v1/control',
}

/** The page with its head in both languages, of which style.css shows one. */
function opening(html: string, { name, title }: Page, code: string[]): string {
  const asked = code.filter((file) => !html.includes(file)).map((file) => `<link rel="modulepreload" crossorigin href="/${file}">`)
  for (const answer of ['/api/v1/me', ASKED[name] ?? []].flat()) asked.push(`<link rel="preload" as="fetch" crossorigin href="${answer}">`)
  const heads = [fa, en].map((text, index) => `<h1 lang="${['fa', 'en'][index] ?? ''}">${title(text)}</h1>`)
  return html
    .replace('</head>', `${asked.join('\n    ')}\n  </head>`)
    .replace('<body>', `<body>\n    <header class="opening">${heads.join('')}</header>`)
}
