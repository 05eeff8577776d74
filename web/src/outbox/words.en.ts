import type { words as fa } from './words.fa'

export const words: typeof fa = {
  outbox: {
    title: 'Messages',
    state: 'State',
    anyState: 'All',
    kind: 'About',
    trial: 'Test message',
    anyKind: 'Everything',
    lost: 'Only what did not arrive',
    none: 'No message is like that.',
    again: 'Send again',
    againOf: (kind: string) => `Send again: ${kind}`,
    goesAgain: 'it waits to be sent',
    sentAgain: 'sent again',
    notSentAgain: 'not sent this time either',
    sentAt: (when: string) => `sent ${when}`,
    saidAt: (when: string) => `reported ${when}`,
    next: (when: string, tries: string) => `again ${when}, tried ${tries} times`,
    parts: (count: string) => `parts: ${count}`,
    credit: (amount: string) => `Credit: ${amount}`,
    creditUnknown: 'It has not said its credit yet',
    creditLow: 'running out',
    notLetIn: 'It did not answer, or let us in:',
    arrival: {
      underway: 'on its way', delivered: 'on the telephone', unreachable: 'not on the telephone: off or out of reach', blacklisted: 'its owner takes no advertising lines',
      expired: 'the network gave up', refused: 'the network refused it', unknown: 'nobody said whether it arrived',
    },
    why: {
      number: 'this number cannot be written to', credit: 'the account is empty', account: 'the key or its rights are wrong', line: 'the sender’s line is wrong or not active',
      rate: 'too many requests', template: 'there is no template, or it is not taken', refused: 'the provider refused this message', down: 'the provider was not reached',
      no_answer: 'no clear answer; it may have gone out', doubt: 'it may have gone out; it is not sent again by itself', too_late: 'too late', untrue: 'not true any more',
      switched_off: 'its citizen has switched it off', nobody: 'no provider is set', ours: 'a fault in our program',
    },
  },
}
