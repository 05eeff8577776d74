import { useCallback, useState } from 'react'
import { type Done, Undo } from './undo'

/** What was done last on a page and can be taken back: `undo` is where it is shown, `offer` tells of it. */
export function useUndo() {
  const [last, setLast] = useState<{ done: Done; which: number } | null>(null)
  const over = useCallback(() => setLast(null), [])
  const offer = useCallback((done: Done) => setLast((before) => ({ done, which: (before?.which ?? 0) + 1 })), [])
  return { offer, undo: last && <Undo key={last.which} done={last.done} onOver={over} /> }
}

export type Offer = ReturnType<typeof useUndo>['offer']
