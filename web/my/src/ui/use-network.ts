import { useEffect, useState } from 'preact/hooks'
import { number, watchNumber } from '../api/session'

/** The masked number that is signed in; empty if nobody is. */
export function useNumber(): string {
  const [shown, setShown] = useState(number)
  useEffect(() => watchNumber(() => setShown(number())), [])
  return shown
}

export function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine)
  useEffect(() => {
    const look = () => setOnline(navigator.onLine)
    window.addEventListener('online', look)
    window.addEventListener('offline', look)
    return () => {
      window.removeEventListener('online', look)
      window.removeEventListener('offline', look)
    }
  }, [])
  return online
}
