import { report } from './connection'

/** Nothing tells that a server is there again: it is asked. */
const AGAIN_MS = 1_000
/** So often running a server that answers does not have it: then it is of an older version. */
const TRIES = 3

/**
 * What `load` imports. While the server is away that is shown, and it is tried again; Chromium fetches a module anew that
 * failed, other browsers may need the page to be loaded again. Rejects if the server answers and does not have it.
 */
export async function retryImport<T>(load: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; ) {
    try {
      const loaded = await load()
      report({ parts: true })
      return loaded
    } catch (error) {
      const answers = await fetch('/', { cache: 'no-store' }).then(({ ok }) => ok, () => false)
      report({ parts: answers })
      left = answers ? left - 1 : TRIES
      if (left === 0) throw error
      await new Promise((done) => setTimeout(done, AGAIN_MS))
    }
  }
}
