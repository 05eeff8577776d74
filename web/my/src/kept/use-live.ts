import { liveQuery } from 'dexie'
import { useEffect, useState } from 'preact/hooks'

/** What the phone keeps, as it is now, whichever tab changes it; undefined until it is read. The query is the same one in each drawing. */
export function useLive<Found>(query: () => Promise<Found>): Found | undefined {
  const [found, setFound] = useState<Found>()
  useEffect(() => {
    const reading = liveQuery(query).subscribe({ next: setFound, error: () => undefined })
    return () => reading.unsubscribe()
  }, [query])
  return found
}
