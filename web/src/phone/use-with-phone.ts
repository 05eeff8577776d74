import { useEffect, useRef } from 'react'
import type { Desk } from '../api/types'
import { useStore } from '../ui/store'
import { useDeskPhone } from './desk-phone'

/**
 * What needs the desk's phone: without one it is connected first, by the same press, and the act follows once it is in
 * its room. If it does not come, its panel says why. A telephone that is no browser's comes by itself.
 */
export function useWithPhone(desk: Desk | null, act: (() => void) | undefined): (() => void) | undefined {
  const phone = useDeskPhone()
  const { state } = useStore(phone.status)
  const wanted = useRef(false)
  const there = desk?.phone_connected ?? false
  useEffect(() => {
    if (!wanted.current || (!there && state !== 'disconnected')) return
    wanted.current = false
    if (there) act?.()
  }, [there, state, act])
  if (there || !act) return act
  if (desk?.phone === 'sip' || state !== 'disconnected') return undefined
  return () => {
    wanted.current = true
    void phone.connect()
  }
}
