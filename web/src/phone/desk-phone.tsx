import { createContext, use, type ReactNode } from 'react'
import type { Me } from '../api/types'
import type { RoomPhone } from './room-phone'
import { useRoomPhone } from './use-room-phone'

const Phone = createContext<RoomPhone | null>(null)

/** This window's phone, as long as its person is signed in: the pages change below it, and the call goes on. */
export function DeskPhone({ me, children }: { me: Me; children: ReactNode }) {
  return <Phone value={useRoomPhone(me)}>{children}</Phone>
}

export function useDeskPhone(): RoomPhone {
  const phone = use(Phone)
  if (!phone) throw new Error('no phone above this page')
  return phone
}
