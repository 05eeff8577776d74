import { useEffect, useState } from 'react'
import { serverNow } from '../api/clock'

/** The server's time, every second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(serverNow()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
