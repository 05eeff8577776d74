import { useEffect, useState } from 'react'
import { getDeskPhone } from '../api/calls'
import { RoomPhone } from './room-phone'

/** One phone as long as the page is open. */
export function useRoomPhone(): RoomPhone {
  const [phone] = useState(() => new RoomPhone(getDeskPhone))
  useEffect(() => {
    const leave = () => phone.disconnect()
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [phone])
  return phone
}
