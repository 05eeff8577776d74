import { useDocumentVisibility } from '@mantine/hooks'
import { useEffect, useRef } from 'react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { alarm } from '../phone/alarm'
import { hasJustAsked } from '../phone/just-asked'
import { shortRing } from '../phone/ring'
import { callStateOf, heard } from '../callbacks/call-states'

/** Somebody is on the line, and is not to wait until this window is looked at. */
const ON_THE_LINE: Callback['state'][] = ['answered', 'waiting', 'screening', 'talking', 'held']

/**
 * Who comes to this desk's line while nobody looks at its window stands in the window's title, and in a notification, if
 * that was allowed. Neither says who it is: others may see the screen.
 */
export function useTells(call: Callback | null): void {
  useSounds(call)
  const { text, format } = useLanguage()
  const hidden = useDocumentVisibility() === 'hidden'
  const seen = useRef<string | null>(null)
  const state = call && ON_THE_LINE.includes(call.state) ? call.state : null
  const at = state && call ? `${String(call.id)} ${state}` : null
  useEffect(() => {
    if (!hidden) seen.current = at
    if (!hidden || !state) return
    const before = document.title
    document.title = `(${format.number(1)}) ${text.callback[state]} · ${before}`
    const notice = at !== seen.current && 'Notification' in window && Notification.permission === 'granted'
      ? new Notification(`${text.city} ${text.brandNumber}`, { body: text.callback[state], tag: 'call' })
      : null
    if (notice) notice.onclick = () => window.focus()
    return () => {
      document.title = before
      notice?.close()
    }
  }, [hidden, at, state, text, format])
}

/** Who comes by themselves rings, and who is lost is heard: they hear music once this desk's phone is gone. */
function useSounds(call: Callback | null): void {
  const id = call?.id
  const state = call && callStateOf(call)
  const before = useRef({ id, state })
  useEffect(() => {
    const sound = heard(before.current.id === id ? before.current.state : null, state, hasJustAsked())
    before.current = { id, state }
    if (sound === 'alarm') alarm()
    else if (sound) shortRing()
  }, [id, state])
}
