import { useEffect, useRef } from 'react'
import type { Desk } from '../api/types'
import { useStore } from '../ui/store'
import { useDeskPhone } from './desk-phone'

/** Who has pressed waits so long for the phone; later they press again. */
const PATIENCE = 15_000
const NOTHING = { at: -PATIENCE, of: null }

/**
 * What needs the desk's phone: without one it is connected first, by the same press, and the act follows once it is in
 * its room, if it is still `of` the same: another citizen is not called by a press for this one. If the phone does not
 * come, its panel says why. A telephone that is no browser's comes by itself.
 */
export function useWithPhone(desk: Desk | null, act: (() => void) | undefined, of: unknown): (() => void) | undefined {
  const phone = useDeskPhone()
  const { state } = useStore(phone.status)
  const wanted = useRef<{ at: number; of: unknown }>(NOTHING)
  const there = desk?.phone_connected ?? false
  useEffect(() => {
    const fresh = performance.now() - wanted.current.at < PATIENCE && wanted.current.of === of
    if (!fresh || (!there && state === 'connecting')) return
    if (there && !act) return  // another command is under way
    if (!there && state === 'connected') return  // the server has not heard it yet
    wanted.current = NOTHING
    if (there) act?.()
  }, [there, state, act, of])
  if (there || !act) return act
  if (desk?.phone === 'sip' || state !== 'disconnected') return undefined
  return () => {
    wanted.current = { at: performance.now(), of }
    void phone.connect()
  }
}
