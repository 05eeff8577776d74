import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { keys } from '../api/keys'
import type { Me } from '../api/types'
import { getDeskPhone } from './queries'
import { RoomPhone } from './room-phone'

/** Kept while this window’s phone is on, with whose it is: a page that is loaded anew connects it again by itself. */
const ON = 'hotline137.phone-on'

/** A window in the background leaves the phone for so long to one that is loaded anew. */
const GIVES_WAY = 6_000

/** From the answer to the server's word that the phone is there it takes a moment. */
const UNHEARD = 5_000

/** Whether a citizen is in conversation with a desk whose phone is gone: its window was closed, or died. */
const isMissed = ({ callback, desk }: Me): boolean =>
  desk !== null && desk.phone !== 'sip' && !desk.phone_connected &&
  callback !== null && ['talking', 'held'].includes(callback.state)

/** Without a click only where the browser need not ask. */
async function mayHear(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state === 'granted'
  } catch {
    return false
  }
}

/** One phone as long as its person is signed in. */
export function useRoomPhone(me: Me): RoomPhone {
  const queries = useQueryClient()
  const [phone] = useState(() => new RoomPhone(getDeskPhone))
  useComesToHelp(phone, isMissed(me))
  useGoesAlong(phone, me.desk !== null && !me.desk.phone_connected)
  useEffect(() => {
    // Whoever signs in next in this window connects their own by hand.
    if (sessionStorage.getItem(ON) === me.username) void phone.connect()
    const unfollow = phone.status.subscribe(() => {
      if (phone.status.get().state === 'disconnected') sessionStorage.removeItem(ON)
      else sessionStorage.setItem(ON, me.username)
    })
    const leave = () => {
      unfollow()
      phone.leave()
    }
    // Kept whole by the browser and shown again (back, forward): its phone is gone, and comes with a load.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && location.reload()
    addEventListener('pagehide', leave)
    addEventListener('pageshow', shown)
    return () => {
      removeEventListener('pagehide', leave)
      removeEventListener('pageshow', shown)
      leave()
      if (!queries.getQueryData(keys.me)) sessionStorage.removeItem(ON)
    }
  }, [phone, queries, me.username])
  return phone
}

/** A phone that is in its room while the server does not know it asks whether it is to be elsewhere. */
function useGoesAlong(phone: RoomPhone, unheard: boolean) {
  useEffect(() => {
    if (!unheard) return
    const timer = setInterval(() => void phone.moveIfElsewhere(), UNHEARD)
    return () => clearInterval(timer)
  }, [phone, unheard])
}

/** The citizen who waits for this desk is not left alone: a window whose phone was never on connects it. */
function useComesToHelp(phone: RoomPhone, missed: boolean) {
  const wasOn = useRef(false)
  useEffect(() => phone.status.subscribe(() => {
    wasOn.current ||= phone.status.get().state !== 'disconnected'
  }), [phone])
  useEffect(() => {
    if (!missed || wasOn.current) return
    const timer = setTimeout(async () => {
      if (await mayHear() && !wasOn.current) void phone.connect()
    }, document.hidden ? GIVES_WAY : 0)
    return () => clearTimeout(timer)
  }, [phone, missed])
}
