import type * as persian from './rounds.fa'

export const nextRound: typeof persian.nextRound = {
  title: 'The next round',
  lead: 'We tell you by text message, once, when it is announced. That is no place in the line: you register then.',
  office: 'With whom?',
  wish: 'Tell me',
  told: 'We tell you.',
  leave: 'No more',
}

export const rounds: typeof persian.rounds = {
  title: 'Conversations with the city',
  mine: 'My place',
  none: 'This number has no place in a line.',
  announced: 'Announced rounds',
  noneAnnounced: 'No round is announced now.',
  register: 'By telephone, too: dial 137 and press 1.',
  take: 'Register here',
  giveUp: 'I do not want my place',
  giveUpSure: 'Your place in the line goes to others.',
  giveUpYes: 'Yes, give it up',
  keep: 'No, keep it',
  registration: (from, until) => `Registration: ${from} until ${until}`,
  line: 'The operators’ line',
  ticket: (ticket) => `Ticket number ${ticket}`,
  place: (place) => `Number ${place} in the line`,
  why: 'All that the ledger has of my place',
  called: (entries, called, before) => `This phone has read all ${entries} entries of the ledger since then: ${called} others were called, and ${before} of them stood before you.`,
  nobodyPassed: 'Nobody was put before you without a reason that stands in the ledger.',
  unread: (called, before) => `The system says that ${called} others were called meanwhile, and that ${before} of them stood before you. This phone has not checked that: the ledger has too many entries since then.`,
  passed: 'Somebody was put before you without a reason. Tell 137.',
  movedUp: (reason) => `A person has moved you up, for this reason: ${reason}`,
  carried: 'The round before did not reach you; so you are before those who registered newly.',
  registered: (when) => `By the time of registering: ${when}`,
  phase: {
    planned: 'Planned', announced: 'Announced', open: 'Registration is open', closed: 'Registration is over', live: 'Conversations are under way',
    over: 'Over', cancelled: 'Cancelled',
  },
  state: {
    unconfirmed: 'The number is not confirmed yet', waiting: 'In the line', calling: 'It is your turn just now', reached: 'The conversation took place',
    unreached: 'We did not reach you; in the next round before others', closed: 'Finished', cancelled: 'Cancelled',
  },
}
