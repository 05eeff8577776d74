import { keptDevice } from './devices'

export type MicrophoneProblem = 'microphone-denied' | 'microphone-missing' | 'insecure'

export class MicrophoneError extends Error {
  constructor(readonly problem: MicrophoneProblem) {
    super(problem)
  }
}

/** `?raw-audio=1` leaves the sound as it is: echo cancellation swallows the tones of tests. */
function constraints(): MediaTrackConstraints {
  const clean = new URLSearchParams(location.search).get('raw-audio') !== '1'
  const deviceId = keptDevice('audioinput')
  // A wish, no condition: with the chosen one unplugged there is still a microphone.
  return { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean, ...(deviceId && { deviceId }) }
}

/** The person's microphone; the browser may ask for leave. */
export async function openMicrophone(): Promise<MediaStream> {
  // Absent outside https and localhost, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new MicrophoneError('insecure')
  try {
    return await devices.getUserMedia({ audio: constraints(), video: false })
  } catch (error) {
    const missing = error instanceof DOMException && error.name === 'NotFoundError'
    throw new MicrophoneError(missing ? 'microphone-missing' : 'microphone-denied')
  }
}

export function closeMicrophone(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => track.stop())
}
