import type { Callback } from '../api/types'
import type { words } from './words.fa'

/** The seven states of a call as people see them, wherever they see one; colours: `data-call` in tokens.css. */
export type CallState = 'ready' | 'calling' | 'waiting' | 'talking' | 'held' | 'after' | 'over'

interface Look {
  word: keyof (typeof words)['callStates']
  /** What whoever is to act hears as it begins, or while it lasts (phone/). */
  sound: 'ring' | 'alarm' | null
}

export const CALL_STATES: Record<CallState, Look> = {
  ready: { word: 'ready', sound: null },
  calling: { word: 'calling', sound: null },
  waiting: { word: 'waiting', sound: 'ring' },
  talking: { word: 'talking', sound: null },
  held: { word: 'held', sound: 'alarm' },
  after: { word: 'after', sound: null },
  over: { word: 'over', sound: null },
}

/** A callback's eleven states (db/states.py), as a desk sees them. */
const OF_CALLBACK: Record<Callback['state'], CallState> = {
  claimed: 'ready',
  dialing: 'calling',
  ringing: 'calling',
  answered: 'calling',
  waiting: 'waiting',
  screening: 'talking',
  talking: 'talking',
  held: 'held',
  parting: 'after',
  ended: 'after',
  closed: 'over',
}

/** Where this callback stands; whom the desk has put on hold waits. */
interface Held { state: Callback['state']; on_hold_at?: string | null; arriving?: boolean }

export const callStateOf = ({ state, on_hold_at = null, arriving = false }: Held): CallState =>
  state === 'held' && (on_hold_at !== null || arriving) ? 'waiting' : OF_CALLBACK[state]
