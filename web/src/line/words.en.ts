import type { words as fa } from './words.fa'

export const words: typeof fa = {
  line: {
    title: 'Line',
    waiting: (count) => `${count} waiting`,
    empty: 'Nobody is in the line.',
    place: 'Place',
    ticket: 'Ticket',
    number: 'Telephone',
    since: 'Registered',
    roundsMissed: (count, digits) => (count === 1 ? 'carried over' : `carried over from ${digits} rounds`),
    movedUp: (reason) => `moved up: ${reason}`,
    attempts: (count) => (count === '1' ? 'called once' : `called ${count} times`),
    retryAt: (when) => `again from ${when}`,
    atDesk: (id) => `desk ${id}`,
    atMyDesk: 'your desk',
    calling: 'being called',
  },
  why: {
    'in-turn': (when) => `In order of registration, ${when}`,
    carried: (when) => `Registered ${when}`,
    'moved-up': (when) => `Registered ${when}`,
  },
  subjectName: 'Subject',
  lineHeads: { why: 'Reason for the place', more: 'State' },
  rowLoading: 'Loading',
}
