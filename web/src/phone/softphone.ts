import type { UA } from 'jssip/lib/UA'
import type { DTMFOptions, EndEvent, IceCandidateEvent, RTCSession } from 'jssip/lib/RTCSession'
import { patiently } from '../api/patiently'
import { keptDevice } from './devices'
import { closeMicrophone, MicrophoneError, openMicrophone, type MicrophoneProblem } from './microphone'
import { Store } from './store'

export interface Account {
  websocket_url: string
  sip_uri: string
  username: string
  password: string
}

export type PhoneProblem = MicrophoneProblem
  | 'network' | 'refused' | 'busy' | 'rejected' | 'no-answer' | 'failed'

export interface PhoneStatus {
  state: 'disconnected' | 'registered' | 'calling' | 'ringing' | 'talking'
  /** Why the last thing tried did not work. */
  problem: PhoneProblem | null
  muted: boolean
  microphone: MediaStream | null
  speaker: MediaStream | null
}

/** Candidates of this host come at once; a gathering that never ends must not hold the call. */
const GATHERING = 200
const REGISTER_AGAIN = 4_000
/** How long sound may stay away before the call counts as lost. */
const SILENT_MEDIA = 3_000

/** One SIP telephone in the browser, with at most one call. The only place that knows JsSIP. */
export class Softphone {
  readonly status = new Store<PhoneStatus>({
    state: 'disconnected', problem: null, muted: false, microphone: null, speaker: null,
  })

  private agent: UA | null = null
  private session: RTCSession | null = null
  private stopped = false
  /** The line to Asterisk broke, and whether it still knows our call is not yet asked. */
  private broken = false
  private readonly audio = document.createElement('audio')

  constructor(private readonly account: Account, private readonly options = { keepMicrophone: false }) {
    this.audio.autoplay = true
  }

  /** Registers, and goes on doing so by itself after any break of the line. */
  async start(): Promise<void> {
    const { UA, WebSocketInterface } = await patiently(() => import('jssip'))
    if (this.stopped) return
    document.body.append(this.audio)
    this.chooseLoudspeaker()
    const agent = new UA({
      sockets: [new WebSocketInterface(this.account.websocket_url)],
      uri: this.account.sip_uri,
      authorization_user: this.account.username,
      password: this.account.password,
      register: true,
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 6,
    })
    agent.on('registered', () => {
      this.status.set({ problem: null })
      this.settle()
      this.probe()
    })
    agent.on('unregistered', () => this.settle())
    agent.on('registrationFailed', ({ response }) => {
      this.status.set({ problem: (response as object | null) ? 'refused' : 'network' })
      this.settle()
      setTimeout(() => !this.stopped && agent.isConnected() && agent.register(), REGISTER_AGAIN)
    })
    agent.on('disconnected', () => {
      if (!this.stopped) this.status.set({ problem: 'network' })
      this.broken = true
      this.settle()
    })
    agent.on('newRTCSession', ({ session }: { session: RTCSession }) => this.take(session))
    agent.start()
    this.agent = agent
  }

  stop(): void {
    this.stopped = true
    this.agent?.stop()
    this.agent = null
    this.session = null
    this.audio.remove()
    this.closeMicrophone()
    this.status.set({ state: 'disconnected', speaker: null })
  }

  async call(target: string): Promise<void> {
    if (this.session || !this.agent) return
    this.status.set({ state: 'calling', problem: null })
    const mediaStream = await this.microphone()
    if (mediaStream) this.agent.call(target, { mediaStream, pcConfig: { iceServers: [] } })
    else this.settle()
  }

  async answer(): Promise<void> {
    const mediaStream = await this.microphone()
    if (mediaStream && !this.session?.isEnded()) {
      this.session?.answer({ mediaStream, pcConfig: { iceServers: [] } })
    }
  }

  /** Ends the call, gives up the attempt, or turns the caller away. */
  hangUp(): void {
    if (this.session && !this.session.isEnded()) this.session.terminate()
  }

  press(key: string): void {
    if (!this.session?.isEstablished()) return
    // The package declares the enumeration of transports, but ships none.
    const inSound = { transportType: 'RFC2833', duration: 120, interToneGap: 80 } as unknown as DTMFOptions
    this.session.sendDTMF(key, inSound)
  }

  mute(muted: boolean): void {
    this.status.get().microphone?.getAudioTracks().forEach((track) => (track.enabled = !muted))
    this.status.set({ muted })
  }

  /** Speak by the microphone and hear by the loudspeaker that were chosen last, also in a call that goes on. */
  async useChosenDevices(): Promise<void> {
    this.chooseLoudspeaker()
    const { microphone: old, muted } = this.status.get()
    if (!old) return
    this.status.set({ microphone: null })
    const track = (await this.microphone())?.getAudioTracks()[0]
    const sender = (this.session?.connection as RTCPeerConnection | undefined)?.getSenders().find((one) => one.track?.kind === 'audio')
    if (track) await sender?.replaceTrack(track)
    closeMicrophone(old)
    this.mute(muted)
  }

  private chooseLoudspeaker(): void {
    // Not every browser lets a page choose; one that was unplugged is refused.
    const audio = this.audio as Partial<Pick<HTMLAudioElement, 'setSinkId'>>
    void audio.setSinkId?.(keptDevice('audiooutput')).catch(() => undefined)
  }

  private async microphone(): Promise<MediaStream | null> {
    const open = this.status.get().microphone
    if (open?.getAudioTracks().every((track) => track.readyState === 'live')) return open
    try {
      const microphone = await openMicrophone()
      if (this.stopped) {
        closeMicrophone(microphone)
        return null
      }
      this.status.set({ microphone, muted: false })
      return microphone
    } catch (error) {
      this.status.set({ problem: error instanceof MicrophoneError ? error.problem : 'failed' })
      return null
    }
  }

  private closeMicrophone(): void {
    closeMicrophone(this.status.get().microphone)
    this.status.set({ microphone: null, muted: false })
  }

  /** A new call, in or out. A second one is turned away. */
  private take(session: RTCSession): void {
    if (this.session) {
      session.terminate({ status_code: 486 })
      return
    }
    this.session = session
    session.on('icecandidate', ({ ready }: IceCandidateEvent) => setTimeout(ready, GATHERING))
    session.on('confirmed', () => this.status.set({ state: 'talking' }))
    const over = (event: EndEvent) => {
      this.session = null
      this.audio.srcObject = null
      this.status.set({ speaker: null, problem: problemOf(event) })
      if (!this.options.keepMicrophone) this.closeMicrophone()
      this.settle()
    }
    session.on('ended', over)
    session.on('failed', over)
    // The types say it is always there; on an incoming call it comes with the answer.
    const connection = session.connection as RTCPeerConnection | null
    if (connection) this.hear(session, connection)
    else session.on('peerconnection', ({ peerconnection }) => this.hear(session, peerconnection))
    this.status.set({ state: session.direction as string === 'incoming' ? 'ringing' : 'calling', problem: null })
  }

  private hear(session: RTCSession, connection: RTCPeerConnection): void {
    connection.addEventListener('track', ({ streams, track }) => {
      const speaker = streams[0] ?? new MediaStream([track])
      this.audio.srcObject = speaker
      void this.audio.play().catch(() => undefined)
      this.status.set({ speaker })
    })
    let lost: ReturnType<typeof setTimeout> | undefined
    connection.addEventListener('iceconnectionstatechange', () => {
      clearTimeout(lost)
      if (!['disconnected', 'failed'].includes(connection.iceConnectionState)) return
      lost = setTimeout(() => !session.isEnded() && session.terminate(), SILENT_MEDIA)
    })
  }

  /** After a break of the line: an Asterisk that has started anew does not know the call, which ends it. */
  private probe(): void {
    if (this.broken && this.session?.isEstablished()) this.session.sendInfo('text/plain', '')
    this.broken = false
  }

  /** The state between calls. */
  private settle(): void {
    if (this.session) return
    this.status.set({ state: this.agent?.isRegistered() ? 'registered' : 'disconnected' })
  }
}

const PROBLEMS: Record<string, PhoneProblem> = {
  'Busy': 'busy',
  'Rejected': 'rejected',
  'No Answer': 'no-answer',
  'Unavailable': 'no-answer',
  'Request Timeout': 'network',
  'Connection Error': 'network',
  'Authentication Error': 'refused',
}

function problemOf({ originator, cause }: EndEvent): PhoneProblem | null {
  if (cause === 'Terminated' || cause === 'Canceled' || originator as string === 'local') return null
  return PROBLEMS[cause] ?? 'failed'
}
