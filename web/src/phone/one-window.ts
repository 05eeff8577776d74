/** Of all windows of this browser, one has the desk's phone. */
const NAME = 'hotline137.desk-phone'

type Word = { asks: 'where' } | { at: string } | { says: 'connected' | 'off' }

export interface Listener {
  /** The window that has the phone says where it is: its path. */
  onWhere: (path: string) => void
  /** Another window was told to have the phone. */
  onTaken: () => void
  /** The phone of the window that has it is in its room. */
  onConnected: () => void
  /** The window that had the phone is gone, or has switched it off. */
  onFree: (switchedOff: boolean) => void
}

/** This window's claim to the desk's phone: a lock that ends with the window, however it ends. */
export class OneWindow {
  private channel: BroadcastChannel | null = null
  private release: (() => void) | null = null
  private waiting = new AbortController()
  private switchedOff = false

  constructor(private readonly listener: Listener) {}

  /** Whether this window has the phone now; by force, or only if no other window has it. */
  async take({ byForce = false } = {}): Promise<boolean> {
    // Locks are absent where a browser gives no microphone either.
    if (this.release || !('locks' in navigator)) return true
    this.open()
    this.waiting.abort()
    return new Promise((taken) => {
      navigator.locks.request(NAME, byForce ? { steal: true } : { ifAvailable: true }, (lock) => {
        taken(lock !== null)
        if (lock) return new Promise<void>((release) => (this.release = release))
        this.wait()
        return undefined
      }).catch(() => {
        this.release = null
        this.wait()
        this.listener.onTaken()
      })
    })
  }

  connected(): void {
    this.say({ says: 'connected' })
  }

  giveUp(): void {
    this.waiting.abort()
    if (!this.release) return
    this.say({ says: 'off' })
    this.release()
    this.release = null
  }

  close(): void {
    this.waiting.abort()
    this.release?.()
    this.release = null
    this.channel?.close()
    this.channel = null
  }

  private open(): void {
    if (this.channel) return
    this.channel = new BroadcastChannel(NAME)
    this.channel.addEventListener('message', ({ data }: MessageEvent<Word>) => this.hear(data))
  }

  /** Until the window that has the phone is gone. */
  private wait(): void {
    this.waiting = new AbortController()
    this.switchedOff = false
    this.say({ asks: 'where' })
    navigator.locks.request(NAME, { mode: 'shared', signal: this.waiting.signal }, () => this.listener.onFree(this.switchedOff))
      .catch(() => undefined)
  }

  private hear(word: Word): void {
    if ('asks' in word && this.release) this.say({ at: location.pathname })
    if ('at' in word && !this.release) this.listener.onWhere(word.at)
    if ('says' in word && word.says === 'connected' && !this.release) this.listener.onConnected()
    if ('says' in word && word.says === 'off') this.switchedOff = true
  }

  private say(word: Word): void {
    this.channel?.postMessage(word)
  }
}
