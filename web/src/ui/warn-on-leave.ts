import { useEffect } from 'react'

/**
 * Leaving the page cuts off the desk's phone: the browser asks first while a citizen is on it. Whoever comes back
 * within the minute goes on with the conversation.
 */
export function useWarnOnLeave(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [wanted])
}
