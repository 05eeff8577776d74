import { Button } from '@mantine/core'
import { useRef, useState } from 'react'
import { useLanguage } from '../language/language'
import { RunningTime } from './number'
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

/** Something recorded, to be heard; asked for when it is played and not before. The browser's own controls know Latin digits only. */
export function Player({ src, label, broken, letter, testId }: Props) {
  const { text, format } = useLanguage()
  const [plays, setPlays] = useState(false)
  const [failed, setFailed] = useState(false)
  const [at, setAt] = useState(0)
  const [length, setLength] = useState(0)
  const audio = useRef<HTMLAudioElement>(null)
  const shown = format.duration(at * 1000)

  function toggle() {
    const { current } = audio
    if (current?.paused) void current.play().catch(() => undefined)
    else current?.pause()
  }
  useKeys(letter ? { [letter]: toggle } : {})

  return (
    <div role="group" aria-label={label}>
      {/* There is no text of what was said that could be its captions. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio
        ref={audio} preload="none" src={src} data-testid={testId}
        onError={() => setFailed(true)} onPause={() => setPlays(false)}
        onPlaying={() => {
          setPlays(true)
          setFailed(false)
        }}
        onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime)}
        onDurationChange={({ currentTarget }) => setLength(Number.isFinite(currentTarget.duration) ? currentTarget.duration : 0)}
      />
      <div className={style.player}>
        <Button variant="light" size="compact-md" onClick={toggle} aria-keyshortcuts={letter} title={letter && text.player.letter(letter)}>
          {plays ? text.player.pause : text.player.play}
        </Button>
        {/* Sound runs from left to right in every language. */}
        <input
          type="range" dir="ltr" className={style.position} min={0} max={Math.ceil(length) || 1} value={Math.floor(at)} disabled={!length}
          aria-label={text.player.position} aria-valuetext={shown}
          onChange={({ currentTarget }) => {
            if (audio.current) audio.current.currentTime = Number(currentTarget.value)
          }}
        />
        <RunningTime>{length ? `${shown} / ${format.duration(length * 1000)}` : shown}</RunningTime>
      </div>
      <div role="alert" className="live">{failed && broken}</div>
    </div>
  )
}
