import { useEffect, useState } from 'react'
import { getDeskPhone } from '../api/calls'
import { RoomPhone } from './room-phone'

/** Kept while this window's phone is on: a page that is loaded anew connects it again by itself. */
const ON = 'hotline137.phone-on'

/** One phone as long as the page is open. */
export function useRoomPhone(): RoomPhone {
  const [phone] = useState(() => new RoomPhone(getDeskPhone))
  useEffect(() => {
    if (sessionStorage.getItem(ON)) void phone.connect()
    const unfollow = phone.status.subscribe(() => {
      if (phone.status.get().state === 'disconnected') sessionStorage.removeItem(ON)
      else sessionStorage.setItem(ON, 'yes')
    })
    const leave = () => {
      unfollow()
      phone.disconnect()
    }
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [phone])
  return phone
}
