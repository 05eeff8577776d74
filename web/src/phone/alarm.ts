import { hearOn } from './devices'

/** A short falling tone: something has gone wrong with the sound. */
export function alarm(): void {
  const context = new AudioContext()
  hearOn(context, 'ring')
  const volume = new GainNode(context, { gain: 0.15 })
  volume.connect(context.destination)
  const begin = context.currentTime + 0.05
  ;[880, 660, 440].forEach((frequency, place) => {
    const tone = new OscillatorNode(context, { frequency })
    tone.connect(volume)
    tone.start(begin + place * 0.18)
    tone.stop(begin + place * 0.18 + 0.15)
    if (place === 2) tone.addEventListener('ended', () => void context.close())
  })
}
