import { useEffect, useRef } from 'react'

type Handlers = Record<string, (() => void) | undefined>

/**
 * Single keys as commands, by their place on the keyboard (`KeyN`, `Digit1`), so that they work
 * with a Persian layout too. While a person writes, keys are only letters.
 */
export function useKeys(handlers: Handlers): void {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
      if (event.target instanceof Element && event.target.closest('input, textarea, select')) return
      const handler = latest.current[event.code.replace('Numpad', 'Digit')]
      if (!handler) return
      event.preventDefault()
      handler()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
