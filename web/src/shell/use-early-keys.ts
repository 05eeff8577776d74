import { getHotkeyHandler } from '@mantine/hooks'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** The key of the search. It is fetched when it is first asked for: what is typed until it is there is for it, and no command of the page. */
export function useEarlyKeys() {
  const [asked, setAsked] = useState(0)
  const [comes, setComes] = useState(false)
  const typed = useRef('')
  useEffect(() => {
    if (!comes) return
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof Element && event.target.closest('[role=dialog]')) return
      event.stopImmediatePropagation()
      event.preventDefault()
      if (event.key.length === 1) typed.current += event.key
    }
    addEventListener('keydown', onKey, true)
    return () => removeEventListener('keydown', onKey, true)
  }, [comes])
  const ask = useCallback(() => {
    typed.current = ''
    setComes(true)
    setAsked((times) => times + 1)
  }, [])
  // Before anything is painted; by its place on the keyboard, and from within a field: a Persian layout has another letter there.
  useLayoutEffect(() => {
    const onKey = getHotkeyHandler([['mod+K', ask, { usePhysicalKeys: true }]])
    document.documentElement.addEventListener('keydown', onKey)
    return () => document.documentElement.removeEventListener('keydown', onKey)
  }, [ask])
  return {
    asked,
    ask,
    /** It has the cursor, and takes what was typed. */
    there: () => {
      setComes(false)
      const early = typed.current
      typed.current = ''
      return early
    },
  }
}
