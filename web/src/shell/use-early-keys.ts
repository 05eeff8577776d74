import { useEffect, useRef, useState } from 'react'

/** The search is fetched when it is first asked for: what is typed until it is there is for it, and no command of the page. */
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
  return {
    asked,
    ask: () => {
      typed.current = ''
      setComes(true)
      setAsked((times) => times + 1)
    },
    /** It is there, and takes what was typed. */
    there: () => {
      setComes(false)
      return typed.current
    },
  }
}
