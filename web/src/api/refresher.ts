/**
 * Refreshes what changed, each thing once however often it changed meanwhile: at once for the
 * first change, then not again before the answer is there and `pause` milliseconds have passed.
 */
export function makeRefresher<T>(refresh: (what: T) => Promise<unknown>, pause: number) {
  const wanted = new Map<string, T>()
  let running = false

  async function run(): Promise<void> {
    running = true
    while (wanted.size > 0) {
      const batch = [...wanted.values()]
      wanted.clear()
      await Promise.allSettled(batch.map((what) => refresh(what)))
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    running = false
  }

  return (what: T): void => {
    wanted.set(JSON.stringify(what), what)
    if (!running) void run()
  }
}
