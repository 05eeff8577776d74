import { useEffect, useState } from 'react'
import { useLanguage } from '../language/language'
import style from './keypad.module.css'

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']
const NAMES: Record<string, string> = { '*': 'star', '#': 'hash' }

/** The telephone's keys; the keyboard's work as well. */
export function Keypad({ enabled, onKey }: { enabled: boolean; onKey: (key: string) => void }) {
  const { text, format } = useLanguage()
  const [pressed, setPressed] = useState('')
  const [wasEnabled, setWasEnabled] = useState(enabled)
  if (enabled !== wasEnabled) {
    setWasEnabled(enabled)
    setPressed('')
  }

  function press(key: string) {
    if (!enabled) return
    onKey(key)
    setPressed((keys) => (keys + key).slice(-14))
  }

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
      const key = event.key.replace(/[۰-۹٠-٩]/, (digit) => String(digit.charCodeAt(0) & 0xf))
      if (KEYS.includes(key)) press(key)
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  })

  const label = (key: string) => (key === '*' ? text.citizenPhone.star : key === '#' ? text.citizenPhone.hash : format.digits(key))
  return (
    <>
      <output className={style.pressed} aria-label={text.citizenPhone.pressed}>
        <bdi dir="ltr">{format.digits(pressed)}</bdi>
      </output>
      <div className={style.keypad} role="group" aria-label={text.citizenPhone.keypad} dir="ltr">
        {KEYS.map((key) => (
          <button
            key={key} type="button" disabled={!enabled} onClick={() => press(key)}
            aria-label={label(key)} data-testid={`key-${NAMES[key] ?? key}`}
          >
            {format.digits(key)}
          </button>
        ))}
      </div>
    </>
  )
}
