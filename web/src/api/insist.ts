import { within } from './patience'
import { Problem } from './problem'

const PAUSES = [300, 1_000]
/** A connection that is dead without a word costs no more than this; a server that works answers within it. */
const PATIENCE = 5_500
/** What was pressed longer ago is pressed again by its person, who may have thought better of it. */
const FRESH = 6_000

/**
 * For what is one even if it is asked twice: where no answer came it is asked again. A network that changes (a cable,
 * another Wi-Fi, a VPN) drops what is under way, or swallows it, and nobody should have to press «hang up» once more for it.
 */
export async function insist<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const until = performance.now() + FRESH
  const once = () => ask(within(PATIENCE, 'no-answer'))
  for (const pause of PAUSES) {
    try {
      return await once()
    } catch (error) {
      const unreached = error instanceof Problem && error.status === 0
      if (!unreached || performance.now() + pause > until) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  return once()
}
