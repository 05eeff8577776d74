import type { Outcome } from '../api/types'
import { Store } from '../ui/store'

/** Every key of the pages, by what it does there; where a text stands for one, in `text.keys`. */
export const KEY = {
  takeNext: 'N', call: 'C', hangUp: 'H', returned: 'R',
  note: 'W', refer: 'D', voiceMessage: 'J', line: 'L',
  mute: 'M', keypad: 'K', phone: 'G',
  next: 'N', finishing: 'F', notNow: 'B', pause: 'P', endRound: 'E', leave: 'L',
  screen: 'S', handOver: 'T', undo: 'Z', callAgain: 'A',
  hold: 'Q', guest: 'X', transfer: 'T', live: 'O', outcome: '1–4', callLater: '5–9', agreed: 'V', help: '?',
} as const

export type KeyName = keyof typeof KEY

/** The keys of each page, in the order in which the help shows them. */
export const KEYS_OF: Record<string, KeyName[] | undefined> = {
  desk: ['takeNext', 'call', 'hangUp', 'hold', 'guest', 'transfer', 'live', 'undo', 'callAgain', 'outcome', 'callLater', 'agreed', 'returned', 'note', 'refer', 'voiceMessage', 'line', 'mute', 'keypad', 'phone', 'help'],
  official: ['next', 'finishing', 'hangUp', 'hold', 'guest', 'transfer', 'undo', 'callAgain', 'outcome', 'notNow', 'pause', 'endRound', 'leave', 'voiceMessage', 'mute', 'keypad', 'phone', 'help'],
  control: ['mute', 'keypad', 'phone', 'help'],
  assist: ['screen', 'handOver', 'hangUp', 'pause', 'voiceMessage', 'line', 'mute', 'keypad', 'phone', 'help'],
}

/** What became of a conversation, each with its key. */
const OUTCOME_KEYS = { reached: '1', call_again: '2', refused: '3', wrong_number: '4' } as const

/** What may be said of a citizen; that it took place, only of one with whom somebody spoke. */
export const outcomesOf = ({ talking_at }: { talking_at: string | null }) =>
  (Object.entries(OUTCOME_KEYS) as [Outcome, string][]).filter(([outcome]) => talking_at !== null || outcome !== 'reached')

/** Whether the help of this page's keys is shown. */
export const keysHelp = new Store({ open: false })
