import { useEffect } from 'react'

/** Leaving the page hangs up the desk's phone: the browser asks first while a citizen is on it. */
export function useStay(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [wanted])
}
