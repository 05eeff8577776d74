import { useCallback, useEffect, useId, useRef, useState } from 'preact/hooks'
import { keepVoice, store, voiceOf, type Voice } from '../kept/store'
import { useLive } from '../kept/use-live'
import { digits } from '../language/format'
import { problemText, text } from '../language/language'
import { Wrong } from '../ui/field'
import { Icon } from '../ui/icon'
import { microphone } from './icons'

const LONGEST_S = 60
/** What is shorter is nobody's message: the API's own rule, with what a recorder needs to begin. */
const SHORTEST_MS = 1_500
/** A minute is 180 kB. */
const BITS_A_SECOND = 24_000

interface Props {
  of: string
  /** Called before anything is kept: what it belongs to must be there. */
  begin: () => Promise<void>
  /** What the report waits for before it is finished. */
  making: (work: Promise<void>) => void
  wrong: string
  /** Told whether there is a voice. */
  there: (is: boolean) => void
  /** Called when a voice was recorded or removed. */
  changed: () => void
}

/** A voice note, kept with the report second by second. */
export function VoiceNote({ of, begin, making, wrong, there, changed }: Props) {
  const id = useId()
  const voice = useLive(useCallback(() => voiceOf(of), [of]))
  const isThere = Boolean(voice)
  useEffect(() => there(isThere), [there, isThere])
  const [seconds, setSeconds] = useState<number | null>(null)
  const [told, setTold] = useState('')
  const stopRef = useRef<() => void>(() => undefined)
  useEffect(() => {
    const stop = () => stopRef.current()
    document.addEventListener('submit', stop, true) // whoever sends has said it
    return () => {
      document.removeEventListener('submit', stop, true)
      stop()
    }
  }, [])
  if (!('mediaDevices' in navigator) || !('MediaRecorder' in window)) return null
  const record = async () => {
    setTold('')
    let stream: MediaStream
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    } catch {
      setTold(text.report.noMicrophone)
      return
    }
    try {
      await begin()
      const lasted = await recorded(stream, of, setSeconds, (stop) => { stopRef.current = stop })
      if (lasted < SHORTEST_MS) {
        await store.voices.delete(of)
        setTold(problemText('voice-empty'))
      } else changed()
    } catch {
      setTold(text.report.noRoom)
    }
    setSeconds(null)
    stream.getTracks().forEach((track) => track.stop())
  }
  return (
    <fieldset aria-describedby={wrong ? id : undefined}>
      <legend>{text.report.voice}</legend>
      <p class="soft">{text.report.voiceLead}</p>
      {voice && seconds === null ? <Said voice={voice} changed={changed} /> : null}
      {seconds === null ? (
        <button type="button" class="quiet" data-testid="record" onClick={() => making(record())}>
          <Icon of={microphone} />{voice ? text.report.recordAgain : text.report.record}
        </button>
      ) : (
        <button type="button" data-testid="stop" onClick={() => stopRef.current()}>{text.report.stop(digits(seconds), digits(LONGEST_S))}</button>
      )}
      <p role="status">{told}</p>
      <Wrong id={id}>{wrong}</Wrong>
    </fieldset>
  )
}

/** Record until `stop` is called, or for a minute; returns for how long. What is said is kept each second: the page may be killed. */
function recorded(stream: MediaStream, of: string, told: (seconds: number) => void, stoppable: (stop: () => void) => void): Promise<number> {
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: BITS_A_SECOND })
  const parts: Blob[] = []
  const began = Date.now()
  const lasted = () => Math.min(LONGEST_S, Math.floor((Date.now() - began) / 1000))
  const stop = () => {
    if (recorder.state !== 'inactive') recorder.stop()
  }
  stoppable(stop)
  told(0)
  return new Promise((done, failed) => {
    let keeping: Promise<void> = Promise.resolve()
    const ticking = setInterval(() => {
      told(lasted())
      if (lasted() >= LONGEST_S) stop()
    }, 500)
    recorder.ondataavailable = ({ data }) => {
      parts.push(data)
      const all = new Blob(parts)
      keeping = keeping.then(async () => keepVoice(of, await all.arrayBuffer(), recorder.mimeType, lasted()))
      keeping.catch(stop)
    }
    recorder.onstop = () => {
      clearInterval(ticking)
      keeping.then(() => done(Date.now() - began), failed)
    }
    recorder.onerror = stop
    recorder.start(1_000)
  })
}

function Said({ voice, changed }: { voice: Voice; changed: () => void }) {
  const [url, setUrl] = useState('')
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([voice.data], { type: voice.type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [voice.data, voice.type])
  return (
    <div class="row said" data-testid="voice">
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- one's own voice */}
      <audio controls src={url} aria-label={text.report.voice} />
      <button type="button" class="quiet" aria-label={text.report.voiceRemove} onClick={() => void store.voices.delete(voice.report).then(changed)}>×</button>
    </div>
  )
}
