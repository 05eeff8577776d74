/** The server's clock, learnt from its answers: a desk with a wrong clock still shows right timers. */
let offset = 0

export function observeServerTime(response: Response): void {
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (Number.isNaN(date)) return
  // The header counts whole seconds: half of one is the best guess for what it cut off.
  const seen = date + 500 - Date.now()
  if (Math.abs(seen - offset) > 1500) offset = seen
}

export const serverNow = () => Date.now() + offset
