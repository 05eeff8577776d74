import { useEffect, useRef, useState } from 'react'
import type { Me } from '../api/types'
import { useDeskPhone } from './desk-phone'
import { keepQuality } from './queries'
import { QualityKeeper } from './quality-keeper'
import { measure } from './quality-meter'

/** While the phone is connected: measures how it sounds, and keeps that with the conversation. */
export default function QualityWatch({ me }: { me: Me }): null {
  const phone = useDeskPhone()
  const [keeper] = useState(() => new QualityKeeper(keepQuality))
  const talking = me.callback?.state === 'talking' ? me.callback.id : null
  const now = useRef(talking)
  useEffect(() => {
    now.current = talking
    keeper.tell(talking)
  }, [keeper, talking])
  useEffect(() => {
    const unfollow = phone.quality.subscribe(() => keeper.take(phone.quality.get(), now.current))
    const stop = measure(phone)
    return () => {
      unfollow()
      stop()
      keeper.tell(null)
    }
  }, [phone, keeper])
  return null
}
