import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'

const LATE_MS = 3000

/** Parts of a page that each ask for themselves: shown together once all have their first answers, or are late,
so that no part pushes another from under a finger. */
export function Whole({ className, children }: { className?: string; children: ReactNode }) {
  const queries = useQueryClient()
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const look = () => {
      if (queries.isFetching({ predicate: ({ state }) => state.status === 'pending' }) === 0) setShown(true)
    }
    const late = setTimeout(() => setShown(true), LATE_MS)
    const stop = queries.getQueryCache().subscribe(look)
    look()
    return () => {
      clearTimeout(late)
      stop()
    }
  }, [queries])
  return <div className={className} aria-busy={!shown} style={shown ? undefined : { visibility: 'hidden' }}>{children}</div>
}
