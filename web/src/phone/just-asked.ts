const JUST = 5_000
let at = -JUST

/** What follows at once is what this desk has asked for: nothing rings for it. */
export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  at = performance.now()
  try {
    return await ask()
  } finally {
    at = performance.now()
  }
}

export const hasJustAsked = () => performance.now() - at < JUST
