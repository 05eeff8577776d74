import { hearOn } from './devices'

/** Rings like a telephone, two bursts and a pause, until the returned function is called. */
export function ring(): () => void {
  const context = new AudioContext()
  hearOn(context, 'ring')
  const volume = context.createGain()
  volume.gain.value = 0
  volume.connect(context.destination)
  for (const frequency of [425, 480]) {
    const tone = new OscillatorNode(context, { frequency })
    tone.connect(volume)
    tone.start()
  }

  const burst = () => {
    const now = context.currentTime
    for (const begin of [0, 0.6]) {
      volume.gain.setTargetAtTime(0.12, now + begin, 0.02)
      volume.gain.setTargetAtTime(0, now + begin + 0.4, 0.02)
    }
  }
  burst()
  const timer = setInterval(burst, 3_000)
  return () => {
    clearInterval(timer)
    if (context.state !== 'closed') void context.close()
  }
}

const ONE_BURST = 1_300

let quiet: (() => void) | undefined

/** Rings once: somebody is there, or is back. Asked for again meanwhile it begins anew. */
export function shortRing(): void {
  quiet?.()
  quiet = ring()
  setTimeout(quiet, ONE_BURST)
}
