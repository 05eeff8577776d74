import { useRef, useState } from 'react'
import { useLanguage } from '../language/language'
import { useKeys } from './use-keys'
import style from './player.module.css'

interface Props {
  src: string
  label: string
  /** What is said when it cannot be played. */
  broken: string
  /** The key that plays and pauses it. */
  letter?: string
  testId?: string
}

/** Something recorded, to be heard; asked for when it is played and not before. */
export function Player({ src, label, broken, letter, testId }: Props) {
  const { text } = useLanguage()
  const [failed, setFailed] = useState(false)
  const audio = useRef<HTMLAudioElement>(null)

  function toggle() {
    const { current } = audio
    if (current?.paused) void current.play().catch(() => undefined)
    else current?.pause()
  }
  useKeys(letter ? { [letter]: toggle } : {})

  return (
    <>
      {/* There is no text of what was said that could be its captions. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio
        ref={audio} controls controlsList="nodownload" preload="none" src={src} aria-label={label} aria-keyshortcuts={letter}
        title={letter && text.keys.plays(letter)} className={style.player} data-testid={testId}
        onError={() => setFailed(true)} onPlaying={() => setFailed(false)}
      />
      <div role="alert" className="live">{failed && broken}</div>
    </>
  )
}
