import type { words as fa } from './words.fa'

/** What pages say of a call. */
export const words: typeof fa = {
  callsDown: 'The telephone line is down; everybody keeps their place',
  callsDownSince: (at: string) => `since ${at}`,
  notes: 'Notes of the call',
  onHold: 'citizen on hold',
  callStates: {
    ready: 'ready to call', calling: 'being called', waiting: 'waiting on the line', talking: 'in conversation',
    held: 'the desk is cut off', after: 'outcome to be said', over: 'over',
  },
}
