/** How a call sounds, from two readings of `getStats` one after the other. */
import { mosOf, verdictOf, type Way } from './mos'

/** Which reports of `getStats` are looked at, of what they hold. */
type Report = RTCStats & Partial<{
  kind: string
  ssrc: number
  packetsReceived: number
  packetsLost: number
  packetsDiscarded: number
  jitter: number
  fractionLost: number
  roundTripTime: number
  currentRoundTripTime: number
  selectedCandidatePairId: string
  totalAudioEnergy: number
}>

/** What is counted since the call began. */
export interface Reading {
  /** Milliseconds, by a clock that nobody sets. */
  at: number
  /** Another stream counts anew. */
  stream: string
  received: number
  /** Those that came too late to be played, too. */
  lost: number
  jitter: number
  /** What Asterisk says of what it gets, and when it said so. */
  remote: (Way & { said: number }) | null
  rtt: number | null
  /** Of the microphone’s sound. */
  energy: number | null
}

/** The seconds between two readings. */
export interface Sample {
  /** What the desk hears. */
  heard: Way
  /** What the citizen hears, as far as Asterisk; null until it says so. */
  sent: Way | null
  rtt: number | null
  packets: number
  /** The microphone has given no sound at all. */
  silent: boolean
}

const milliseconds = (seconds: number | undefined) => (seconds === undefined ? null : seconds * 1000)
const counted = (value: number | undefined) => Math.max(0, value ?? 0)

/** Null while nothing is known of what comes in. */
export function read(stats: Iterable<RTCStats>, at: number): Reading | null {
  const reports = [...stats] as Report[]
  const find = (type: string) => reports.find((one) => (one.type as string) === type && (one.kind ?? 'audio') === 'audio')
  const inbound = find('inbound-rtp')
  if (inbound?.packetsReceived === undefined) return null
  const remote = find('remote-inbound-rtp')
  const chosen = find('transport')?.selectedCandidatePairId
  const pair = reports.find(({ id }) => id === chosen)
  return {
    at,
    stream: `${inbound.id} ${String(inbound.ssrc)}`,
    received: inbound.packetsReceived,
    lost: counted(inbound.packetsLost) + counted(inbound.packetsDiscarded),
    jitter: counted(inbound.jitter) * 1000,
    remote: remote?.fractionLost === undefined
      ? null
      : { said: remote.timestamp, loss: counted(remote.fractionLost) * 100, jitter: counted(remote.jitter) * 1000 },
    rtt: milliseconds(pair?.currentRoundTripTime ?? remote?.roundTripTime),
    energy: find('media-source')?.totalAudioEnergy ?? null,
  }
}

/** Longer than this between two readings, and the computer slept: nothing is told of that time. */
const TOO_LONG = 15_000

/** Null if the one does not go on from the other: a new stream, counters that began anew, a leap in time. */
export function between(before: Reading | null, now: Reading | null): Sample | null {
  if (!before || !now || now.stream !== before.stream) return null
  const passed = now.at - before.at
  const packets = now.received - before.received
  if (passed <= 0 || passed > TOO_LONG || packets < 0) return null
  // Of packets that come twice Chromium takes one from those that are lost.
  const lost = Math.max(0, now.lost - before.lost)
  return {
    heard: { loss: packets + lost > 0 ? Math.min(100, (100 * lost) / (packets + lost)) : 0, jitter: now.jitter },
    sent: now.remote && { loss: Math.min(100, now.remote.loss), jitter: now.remote.jitter },
    rtt: now.rtt,
    packets,
    silent: now.energy !== null && now.energy === before.energy,
  }
}

/** Of the worse direction. */
export const mosOfSample = ({ heard, sent, rtt }: Sample): number =>
  Math.min(mosOf(heard, rtt), sent ? mosOf(sent, rtt) : 5)

/** What makes it bad: by it one knows what to do. */
export type Trouble = 'network' | 'hearing' | 'speaking' | 'delay' | 'microphone'

export function troubleOf({ heard, sent, rtt }: Sample): Trouble {
  const bad = (way: Way | null) => way !== null && verdictOf(mosOf(way, null)) === 'bad'
  if (bad(heard) && bad(sent)) return 'network'
  if (bad(heard)) return 'hearing'
  if (bad(sent)) return 'speaking'
  return verdictOf(mosOf({ loss: 0, jitter: 0 }, rtt)) === 'bad' ? 'delay' : 'network'
}
