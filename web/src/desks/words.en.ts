import type { words as fa } from './words.fa'

export const words: typeof fa = {
  deskList: {
    title: 'Desks',
    all: 'Unused desks, too',
    none: 'No desk belongs to anybody yet. Give one on the page «People».',
    nobody: 'nobody has this desk',
    phone: { browser: 'browser phone', sip: 'SIP phone', number: 'telephone number' },
    connected: 'connected',
    away: 'not connected',
    serves: (office) => `serves: ${office}`,
    inHand: (ticket, state) => `${ticket}, ${state}`,
    owed: (since) => `No outcome was said since ${since}; say it for the desk.`,
    changePhone: 'Change the phone',
    changePhoneOf: (desk) => `Phone of desk ${desk}`,
    number: 'The number that is called',
    numberHelp: 'Any telephone; the person gets in with their PIN.',
    account: 'SIP account',
    accountOf: (desk) => `SIP account of desk ${desk}`,
    accountHelp: 'The account’s password is shown, and the audit log shows that you have read it.',
    accountShow: 'Show',
    username: 'Account',
    password: 'Password',
    server: 'Server (UDP)',
    extension: 'The phone dials',
    close: 'Close',
    sayOutcome: 'Say the outcome',
    sayOutcomeHelp: (ticket) =>
      `The conversation with ticket ${ticket} has no outcome. If the person of this desk does not come back, say it for them, so that the citizen is not left hanging.`,
    outcome: 'Outcome',
  },
}
