/** The server's clock, learnt from its answers: a desk with a wrong clock still shows right timers. */
let offset = 0

/** The header counts whole seconds, and the server writes it anew once a second. */
const COARSE = 2_000

/** `asked`: when. An answer that was long on its way says little, and what may still be true stays. */
export function observeServerTime(response: Response, asked: number): void {
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (Number.isNaN(date)) return
  const [least, most] = [date - Date.now(), date + COARSE - asked]
  offset = Math.max(least, Math.min(most, offset))
}

export const serverNow = () => Date.now() + offset
