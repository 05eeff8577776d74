import { useEffectEvent, useLayoutEffect } from 'react'

/** What is open over the page; what was opened last is on top. */
const open: object[] = []

/** A field of the page, not of what is open over it. */
const isOfPage = (target: EventTarget | null) =>
  target instanceof Element && target.closest('input, textarea, select') !== null && !target.closest('[role=dialog]')

/**
 * Esc closes what is on top, and nothing below it, as Mantine's windows would, which each listen for themselves. What is
 * below was opened before, and has been told of the key before the top is gone. With `beside` the page stays in reach:
 * who writes there means what they write in.
 */
export function useEscape(opened: boolean, onClose: () => void, beside = false): void {
  const close = useEffectEvent(onClose)
  useLayoutEffect(() => {
    if (!opened) return
    const mine = {}
    open.push(mine)
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing || open.at(-1) !== mine) return
      // A list that hangs from a field closes first: so Mantine marks the field.
      if (event.target instanceof Element && event.target.getAttribute('data-mantine-stop-propagation') === 'true') return
      if (beside && isOfPage(event.target)) return
      close()
    }
    addEventListener('keydown', onKey, true)
    return () => {
      removeEventListener('keydown', onKey, true)
      open.splice(open.indexOf(mine), 1)
    }
  }, [opened, beside])
}
