import { useEffect, useState } from 'react'
import { useMe } from '../api/session'
import type { Callback } from '../api/types'
import { useStore } from '../ui/store'
import { useDeskPhone } from './desk-phone'

/** So long this window's phone may need to come back into a conversation that goes on. */
const COMES_BACK = 3_000

/**
 * Whether the conversation is probably cut off: this window's phone has lost its room, and nobody has said yet that the
 * citizen is held, or where they are. Of a telephone, or of a phone in another window, this page cannot know.
 */
export function useProbablyCut(callback: Callback | null): boolean {
  const { state } = useStore(useDeskPhone().status)
  const desk = useMe().data?.desk
  const away = desk?.phone === 'browser' && state === 'connecting' && callback?.state === 'talking'
  const [long, setLong] = useState(false)
  useEffect(() => {
    if (!away) return
    const timer = setTimeout(() => setLong(true), COMES_BACK)
    return () => {
      clearTimeout(timer)
      setLong(false)
    }
  }, [away])
  return away && long
}
