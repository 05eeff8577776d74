import type { UA } from 'jssip/lib/UA'
import type { DTMFOptions, EndEvent, IceCandidateEvent, RTCSession } from 'jssip/lib/RTCSession'
import { retryImport } from '../api/retry-import'
import { Store } from '../ui/store'
import { hearOn } from './devices'
import { healing } from './healing'
import { Microphone, MicrophoneError } from './microphone'
import { problemOf, type PhoneProblem } from './phone-problem'

export interface Account {
  websocket_url: string
  sip_uri: string
  username: string
  password: string
  /** Who relays the sound where Asterisk's ports cannot be reached; a desk's phone has them. */
  ice_servers?: RTCIceServer[]
}

export interface PhoneStatus {
  state: 'disconnected' | 'registered' | 'calling' | 'ringing' | 'talking'
  /** Why the last thing tried did not work. */
  problem: PhoneProblem | null
  speaker: MediaStream | null
}

interface Options {
  /** One that outlives this phone; without it the phone has its own, open during a call. */
  microphone?: Microphone
  /** The way of the sound, which never pauses, is lost for good; without it the call ends when the way is gone. */
  onLost?: () => void
}

/** Candidates of this host come at once; a gathering that never ends must not hold the call. */
const GATHERING = 200
/** A relay is asked for over the network. */
const RELAY = 2_000
const REGISTER_AGAIN = 4_000

/** One SIP telephone in the browser, with at most one call. The only place that knows JsSIP. */
export class Softphone {
  readonly status = new Store<PhoneStatus>({ state: 'disconnected', problem: null, speaker: null })

  private agent: UA | null = null
  private session: RTCSession | null = null
  private stopped = false
  /** The line to Asterisk broke, and whether it still knows our call is not yet asked. */
  private broken = false
  private readonly audio = document.createElement('audio')
  private readonly microphone: Microphone
  private readonly unfollow: () => void

  constructor(private readonly account: Account, private readonly options: Options = {}) {
    this.audio.autoplay = true
    this.microphone = options.microphone ?? new Microphone()
    this.unfollow = this.microphone.status.subscribe(() => this.speak())
  }

  /** Registers, and goes on doing so by itself after any break of the line. */
  async start(): Promise<void> {
    const { UA, WebSocketInterface } = await retryImport(() => import('jssip'))
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
    this.unfollow()
    this.closeMicrophone()
    this.status.set({ state: 'disconnected', speaker: null })
  }

  async call(target: string): Promise<void> {
    if (this.session || !this.agent) return
    this.status.set({ state: 'calling', problem: null })
    const mediaStream = await this.openMicrophone()
    if (mediaStream) this.agent.call(target, { mediaStream, pcConfig: this.ways() })
    else this.settle()
  }

  async answer(): Promise<void> {
    const mediaStream = await this.openMicrophone()
    if (mediaStream && !this.session?.isEnded()) {
      this.session?.answer({ mediaStream, pcConfig: this.ways() })
    }
  }

  /** Ends the call, gives up the attempt, or turns the caller away. */
  hangUp(): void {
    if (this.session && !this.session.isEnded()) this.session.terminate()
  }

  /** Of the call that goes on. */
  connection(): RTCPeerConnection | null {
    return this.session?.isEstablished() ? this.session.connection : null
  }

  press(key: string): void {
    if (!this.session?.isEstablished()) return
    // The package declares the enumeration of transports, but ships none.
    const inSound = { transportType: 'RFC2833', duration: 120, interToneGap: 80 } as unknown as DTMFOptions
    this.session.sendDTMF(key, inSound)
  }

  /** Hear by the loudspeaker that was chosen last, also in a call that goes on. */
  chooseLoudspeaker(): void {
    hearOn(this.audio, 'audiooutput')
  }

  private async openMicrophone(): Promise<MediaStream | null> {
    try {
      const stream = await this.microphone.open()
      if (!this.stopped) return stream
      this.closeMicrophone()
    } catch (error) {
      this.status.set({ problem: error instanceof MicrophoneError ? error.problem : 'failed' })
    }
    return null
  }

  private ways(): { iceServers: RTCIceServer[] } {
    return { iceServers: this.account.ice_servers ?? [] }
  }

  private closeMicrophone(): void {
    if (!this.options.microphone) this.microphone.close()
  }

  /** The call speaks by the microphone as it is now. */
  private speak(): void {
    const { stream, muted } = this.microphone.status.get()
    const track = stream?.getAudioTracks()[0]
    const { session } = this
    if (!session || !track) return
    const connection = session.connection as RTCPeerConnection | undefined
    const sender = connection?.getSenders().find((one) => one.track?.kind === 'audio')
    if (sender?.track !== track) void sender?.replaceTrack(track)
    // Whenever it negotiates JsSIP switches the track on or off by what it knows.
    if (muted) session.mute({ audio: true })
    else session.unmute({ audio: true })
  }

  /** A new call, in or out. A second one is turned away. */
  private take(session: RTCSession): void {
    if (this.session) {
      session.terminate({ status_code: 486 })
      return
    }
    this.session = session
    session.on('icecandidate', ({ candidate, ready }: IceCandidateEvent) => {
      const relayToCome = this.ways().iceServers.length > 0 && candidate.type !== 'relay'
      setTimeout(ready, relayToCome ? RELAY : GATHERING)
    })
    let watched = () => {}
    session.on('confirmed', () => {
      this.speak()
      watched = this.watch(session)
      this.status.set({ state: 'talking' })
    })
    const over = (event: EndEvent) => {
      watched()
      this.session = null
      this.audio.srcObject = null
      this.status.set({ speaker: null, problem: problemOf(event) })
      this.closeMicrophone()
      this.settle()
    }
    session.on('ended', over)
    session.on('failed', over)
    // The types say it is always there; on an incoming call it comes with the answer.
    const connection = session.connection as RTCPeerConnection | null
    if (connection) this.hear(connection)
    else session.on('peerconnection', ({ peerconnection }) => this.hear(peerconnection))
    this.status.set({ state: session.direction as string === 'incoming' ? 'ringing' : 'calling', problem: null })
  }

  private hear(connection: RTCPeerConnection): void {
    connection.addEventListener('track', ({ streams, track }) => {
      const speaker = streams[0] ?? new MediaStream([track])
      this.audio.srcObject = speaker
      void this.audio.play().catch(() => undefined)
      this.status.set({ speaker })
    })
  }

  private watch(session: RTCSession): () => void {
    return healing(session.connection, {
      restart: () =>
        (this.agent?.isConnected() ?? false) && session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }),
      giveUp: this.options.onLost ?? (() => session.terminate()),
      steady: this.options.onLost !== undefined,
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
