import { useLayoutEffect, useState } from 'react'
import { serverNow } from '../api/clock'

/** The server's time, every second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(serverNow)
  // Before it is painted: what it said when it last ran is long over.
  useLayoutEffect(() => {
    if (!running) return
    const tick = () => setNow(serverNow())
    tick()
    const timer = setInterval(tick, 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
