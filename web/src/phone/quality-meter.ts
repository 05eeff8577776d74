import { read } from './quality'
import { QualityFollower, UNKNOWN } from './quality-follower'
import type { RoomPhone } from './room-phone'

/** A reading costs about a millisecond. */
const EVERY = 2_000

/** Reads how the phone's call sounds into `phone.quality`, until the returned function is called. */
export function measure(phone: RoomPhone): () => void {
  let follower = new QualityFollower()
  let of: RTCPeerConnection | null = null
  let reading = false

  async function look() {
    const connection = phone.connection()
    if (connection !== of) follower = new QualityFollower()
    of = connection
    const stats = connection && (await connection.getStats().catch(() => null))
    if (connection !== of || stopped) return
    const { muted, loss } = phone.microphone.status.get()
    phone.quality.set(follower.take(stats && read(stats.values() as Iterable<RTCStats>, performance.now()), !muted && loss !== 'missing'))
  }

  let stopped = false
  const timer = setInterval(() => {
    if (reading) return
    reading = true
    void look().finally(() => (reading = false))
  }, EVERY)
  return () => {
    stopped = true
    clearInterval(timer)
    phone.quality.set(UNKNOWN)
  }
}
