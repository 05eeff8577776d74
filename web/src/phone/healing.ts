/** How often the sound of a call is looked at. */
const LOOK = 500
/** A desk's room sends without a pause: sound that stays away so long is lost. */
const SILENT = 1_500
/** So long after the last sound its way may be mended; then the call itself is lost. */
const GIVE_UP = 4_000
/** So long after a negotiation the sound may change its way: Asterisk goes on looking where it comes from. */
const SETTLES = 4_000

interface Remedies {
  /** Looks for a way between the same two ends anew (ICE restart); false while that cannot be asked. */
  restart: () => boolean
  giveUp: () => void
  /** The other end sends without a pause. A menu does not: it is silent while it waits for a key. */
  steady: boolean
}

/**
 * Watches the sound of a call and mends its way when it breaks, until the returned function is called.
 *
 * A browser may also change to another way by itself. From there Asterisk hears nothing (strict RTP), though
 * all sounds well here: it must be told.
 */
export function healing(connection: RTCPeerConnection, { restart, giveUp, steady }: Remedies): () => void {
  let last = { packets: -1, way: '' }
  let soundAt = Date.now()
  let settledAt = soundAt + SETTLES
  let ill = false

  async function look() {
    const sound = await soundOf(connection)
    const now = Date.now()
    const broken = ['disconnected', 'failed'].includes(connection.iceConnectionState)
    if ((!steady || sound.packets > last.packets) && !broken) soundAt = now
    const silent = now - soundAt
    ill ||= silent >= SILENT || broken || (sound.way !== last.way && now > settledAt)
    last = sound
    if (silent >= GIVE_UP) {
      stop()
      giveUp()
    } else if (ill && now > settledAt && restart()) {
      ill = false
      settledAt = now + SETTLES
    }
  }

  const timer = setInterval(() => void look(), LOOK)
  const stop = () => clearInterval(timer)
  return stop
}

/** How many packets have come in, and by which way. */
async function soundOf(connection: RTCPeerConnection): Promise<{ packets: number; way: string }> {
  let packets = 0
  let way = ''
  for (const report of (await connection.getStats()).values() as Iterable<RTCInboundRtpStreamStats & RTCTransportStats>) {
    if (report.type === 'inbound-rtp') packets += report.packetsReceived ?? 0
    if (report.type === 'transport') way = report.selectedCandidatePairId ?? ''
  }
  return { packets, way }
}
