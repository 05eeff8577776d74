import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { text } from '../language/language'

/** A part of the app that is fetched when it is first shown, and then at once from what is kept. */
export function late<Props extends object>(fetched: () => Promise<ComponentType<Props>>): { Part: ComponentType<Props>; ahead: () => void } {
  let Known: ComponentType<Props> | null = null
  const get = () => fetched().then((part) => {
    Known = part
    return part
  })
  function Part(props: Props) {
    const [isGone, setGone] = useState(false)
    const [Shown, setShown] = useState<ComponentType<Props> | null>(() => Known)
    useEffect(() => {
      if (!Shown) void get().then((part) => setShown(() => part), () => setGone(true))
    }, [Shown])
    return Shown ? <Shown {...props} /> : <p role="status">{isGone ? text.outdated : text.wait}</p>
  }
  return { Part, ahead: () => void get().catch(() => undefined) }
}
