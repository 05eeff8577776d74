import type { Callback } from '../api/types'
import type { words } from './words.fa'

/** The seven states of a call as people see them, wherever they see one; colours: `data-call` in tokens.css. */
export type CallState = 'ready' | 'calling' | 'waiting' | 'talking' | 'held' | 'after' | 'over'

interface Look {
  word: keyof (typeof words)['callStates']
  /** What whoever is to act hears as it begins, or while it lasts (phone/); once: only who did not ask for it. */
  sound: 'ring' | 'ring-once' | 'alarm' | null
}

export const CALL_STATES: Record<CallState, Look> = {
  ready: { word: 'ready', sound: null },
  calling: { word: 'calling', sound: null },
  waiting: { word: 'waiting', sound: 'ring' },
  talking: { word: 'talking', sound: 'ring-once' },
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

/**
 * What a desk hears when its call is there, goes on, or is lost. Its phone is on already: it rings once, not for what the
 * desk has just `asked` for, and neither for the next step of a call that it made nor for a citizen whom it lets wait.
 */
export function heard(before: CallState | null, now: CallState | null, asked: boolean): 'ring-once' | 'alarm' | null {
  const sound = now && now !== before ? CALL_STATES[now].sound : null
  if (sound === 'alarm') return before && sound
  return sound && !asked && (before === null || before === 'held') ? 'ring-once' : null
}
