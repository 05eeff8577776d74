const passed = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * Refreshes what changed, each thing once however often it changed meanwhile: at once for the
 * first change (or within `spread` milliseconds, where every page hears of it in the same moment),
 * then not again before the answer is there and `pause` milliseconds have passed.
 */
export function makeRefresher<T>(refresh: (what: T) => Promise<unknown>, pause: number, spread = 0) {
  const wanted = new Map<string, T>()
  let running = false

  async function run(): Promise<void> {
    running = true
    if (spread > 0) await passed(Math.random() * spread)
    while (wanted.size > 0) {
      const batch = [...wanted.values()]
      wanted.clear()
      await Promise.allSettled(batch.map((what) => refresh(what)))
      await passed(pause)
    }
    running = false
  }

  return (what: T): void => {
    wanted.set(JSON.stringify(what), what)
    if (!running) void run()
  }
}
