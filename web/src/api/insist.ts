import { Problem } from './problem'

const PAUSES = [300, 1_000]
/** What was pressed longer ago is pressed again by its person, who may have thought better of it. */
const FRESH = 3_000

/**
 * For what is one even if it is asked twice: where no answer came it is asked again. A network that changes (a cable,
 * another Wi-Fi, a VPN) drops what is under way, and nobody should have to press «hang up» once more for it.
 */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + FRESH
  for (const pause of PAUSES) {
    try {
      return await ask()
    } catch (error) {
      const unreached = error instanceof Problem && error.status === 0
      if (!unreached || performance.now() + pause > until) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  return ask()
}
