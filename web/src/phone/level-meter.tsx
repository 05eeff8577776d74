import { useEffect, useRef } from 'react'
import style from './level-meter.module.css'

/** How loud a stream is, as a bar: the eye's proof that the microphone works. */
export function LevelMeter({ stream, label }: { stream: MediaStream | null; label: string }) {
  const bar = useRef<HTMLDivElement>(null)

  useEffect(() => {
    if (!stream) return
    const context = new AudioContext()
    const analyser = new AnalyserNode(context, { fftSize: 512 })
    context.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    const element = bar.current
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      const decibels = 10 * Math.log10(power + 1e-9)
      const level = Math.min(1, Math.max(0, (decibels + 60) / 50))
      element?.style.setProperty('--level', String(level))
    }, 80)
    return () => {
      clearInterval(timer)
      void context.close()
      element?.style.setProperty('--level', '0')
    }
  }, [stream])

  return (
    <div className={style.meter}>
      <span>{label}</span>
      <div className={style.track} aria-hidden><div ref={bar} className={style.bar} /></div>
    </div>
  )
}
