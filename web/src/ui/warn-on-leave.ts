import { useEffect } from 'react'

/** Let the browser ask before its person leaves the page, while `wanted`. */
export function useWarnOnLeave(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [wanted])
}
