import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { blank, jot, jotted, type Report } from '../kept/report'
import { language } from '../language/language'
import { address, go } from '../ui/router'

export interface Draft {
  report: Report
  change: (change: Partial<Report>) => void
  /** All that was typed is kept. Throws if the phone has no room for it. */
  saved: () => Promise<void>
  /** The phone did not keep what was typed last. */
  full: boolean
}

/** Fetched beside the form, which can be written into before it is there. */
const database = () => import('../kept/store')

/** A report as it is written: kept from the first letter on. Undefined until it is read. `fresh`: what there is, if none is kept. */
export function useDraft(of: string, fresh?: Report): Draft | undefined {
  const [report, setReport] = useState<Report | undefined>(() => (of ? undefined : blank(language)))
  const [full, setFull] = useState(false)
  const keptRef = useRef(Boolean(of))
  const currentRef = useRef(report)
  const savingRef = useRef<Promise<void>>(Promise.resolve())
  useEffect(() => {
    if (!of) return
    void database().then(({ draft }) => draft(of)).then((found) => {
      const there = found ?? fresh
      if (!there) {
        go('', { instead: true })
        return
      }
      keptRef.current = Boolean(found)
      currentRef.current = there
      setReport(there)
    })
  }, [of, fresh])
  const change = useCallback((changed: Partial<Report>) => {
    const before = currentRef.current
    if (!before) return
    const after = { ...before, ...changed, changedAt: Date.now() }
    currentRef.current = after
    setReport(after)
    try {
      jot(after)
    } catch {
      // No room there; the database has more.
    }
    const keep = async () => {
      const { store, write } = await database()
      if (keptRef.current) await write(after.key, { ...changed, changedAt: after.changedAt })
      else await store.reports.add(after)
      jotted(after)
    }
    savingRef.current = savingRef.current.catch(() => undefined).then(keep).then(() => {
      setFull(false)
      if (keptRef.current) return
      keptRef.current = true
      if (!of) history.replaceState(null, '', address(`report/${after.key}`)) // where it is found again
    })
    savingRef.current.catch(() => setFull(true))
  }, [of])
  const saved = useCallback(async () => {
    await savingRef.current
  }, [])
  return report && { report, change, saved, full }
}
