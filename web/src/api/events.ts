import { createParser } from 'eventsource-parser'
import { report } from './connection'

export interface Change {
  kind: 'registration' | 'callback' | 'round' | 'desk' | 'recording' | 'request' | 'timetable' | 'person' | 'number' | 'key' | 'telephone' | 'urgent' | 'escalation'
  round_id: number | null
  registration_id: number | null
  callback_id: number | null
  desk_id: number | null
}

interface Handlers {
  onOpen: () => void
  onChange: (change: Change) => void
  onSignedOut: () => void
}

/** The server says something at least every 10 seconds; a quarter of a minute of silence is a lost line. */
const SILENCE = 25_000
const LONGEST_WAIT = 2_000
const CROWDED_WAIT = 20_000

/**
 * Follows the server's events until the returned function is called, connecting again where it
 * was cut. (EventSource hides the heartbeat, so it cannot tell a silent line from a dead one.)
 */
export function followEvents(handlers: Handlers, address = '/api/v1/events'): () => void {
  const stopped = new AbortController()
  const isStopped = () => stopped.signal.aborted
  let lastId: string | undefined
  let wait = 0

  async function read(): Promise<void> {
    const silence = new AbortController()
    let timer = window.setTimeout(() => silence.abort(), SILENCE)
    try {
      const response = await fetch(address, {
        headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
        signal: AbortSignal.any([stopped.signal, silence.signal]),
      })
      if (response.status === 401) {
        handlers.onSignedOut()
        return
      }
      if (!response.ok || !response.body) return
      wait = 0
      report({ api: true, events: true })
      handlers.onOpen()
      const parser = createParser({
        onEvent: (event) => {
          if (event.id) lastId = event.id
          // Too many pages of this person are open, and this is the oldest: no hurry to come back.
          if (event.event === 'crowded') wait = CROWDED_WAIT
          // The database does not answer the server: what is shown may be old, and nothing can be saved.
          if (event.event === 'away') report({ events: false })
          if (event.event === 'back') report({ events: true })
          if (event.event === 'change') handlers.onChange(JSON.parse(event.data) as Change)
        },
      })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        clearTimeout(timer)
        timer = window.setTimeout(() => silence.abort(), SILENCE)
        parser.feed(value)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async function follow(): Promise<void> {
    while (!isStopped()) {
      await read().catch(() => undefined)
      if (isStopped()) return
      report({ events: false })
      await new Promise((resolve) => setTimeout(resolve, wait))
      wait = Math.min(LONGEST_WAIT, wait * 2 || 250)
    }
  }

  void follow()
  return () => {
    stopped.abort()
    report({ events: true })
  }
}
