import { useLayoutEffect, useRef } from 'react'

/** What a key does when it goes down; `up` is for one that may be held. */
type Handler = (() => void) | { down: () => void; up: () => void }
type Handlers = Record<string, Handler | undefined>

/** The key as it is printed on a Latin keyboard, by its place: `N`, `1`; a question mark in either script. */
const keyOf = ({ code, key }: KeyboardEvent): string =>
  key === '?' || key === '؟' ? '?' : code.replace(/^(Key|Digit|Numpad)/, '')

/**
 * Single keys as commands, by their place on the keyboard, so that they work with a Persian layout
 * too. While a person writes, or a dialog is open over the page, keys are only letters. Whoever sees what a key does can press it:
 * they are there before it is painted.
 */
export function useKeys(handlers: Handlers): void {
  const latest = useRef(handlers)
  useLayoutEffect(() => {
    latest.current = handlers
  })

  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
      if (event.target instanceof Element && event.target.closest('input, textarea, select, [role=dialog]:not([aria-modal=false])')) return
      const handler = latest.current[keyOf(event)]
      if (!handler) return
      event.preventDefault()
      if (typeof handler === 'function') handler()
      else handler.down()
    }
    const release = (handler: Handler | undefined) => typeof handler === 'object' && handler.up()
    const onKeyUp = (event: KeyboardEvent) => release(latest.current[keyOf(event)])
    // What is released elsewhere is not told here.
    const onBlur = () => Object.values(latest.current).forEach(release)
    addEventListener('keydown', onKey)
    addEventListener('keyup', onKeyUp)
    addEventListener('blur', onBlur)
    return () => {
      removeEventListener('keydown', onKey)
      removeEventListener('keyup', onKeyUp)
      removeEventListener('blur', onBlur)
    }
  }, [])
}
