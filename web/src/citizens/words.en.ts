import type { words as fa } from './words.fa'

/** Looking for somebody or something, and a citizen's page. */
export const words: typeof fa = {
  search: {
    open: 'Search',
    placeholder: 'Ticket, tracking number, telephone, person, page or command',
    groups: { registrations: 'Places', requests: 'City reports', staff: 'Staff', pages: 'Pages', commands: 'Commands' },
    commands: {
      scheme: { light: 'Light look', dark: 'Dark look', auto: 'Look as the system' },
      language: 'Persian language',
      keys: 'Help on the keys of this page',
      break: (reason) => `Break: ${reason}`,
      breakOver: 'End of the break, I am back',
      phone: 'Connect the desk’s phone',
      signOut: 'Sign out',
    },
    looking: 'Searching…',
    none: 'Nothing found. Type the whole number.',
  },
  citizens: {
    title: 'Citizens',
    one: 'Citizen',
    back: 'Another citizen',
    typed: 'Ticket, tracking number or telephone number',
    typedHelp: 'Type the whole number. The audit log has who opens a citizen’s page.',
    none: 'Nothing is known of this number.',
    showNumber: 'Show the whole number',
    recorded: 'The audit log has it.',
    blocked: 'This number is blocked',
    open: 'Open now',
    nothingOpen: 'Nothing of this citizen is open now.',
    all: 'Everything, the newest first',
    registered: 'Registration',
    called: 'Call',
    reported: 'City report',
    promisedUntil: (day: string) => `promised by ${day}`,
    texted: 'Text message',
    messages: {
      registered: 'ticket number', turn_near: 'the turn is near', not_reached: 'not reached', carried: 'on to the next round',
      round_cancelled: 'the round was cancelled', round_changed: 'the round has other hours', closed: 'the place was closed', number_changed: 'another number',
      cancelled: 'the place was given up', answer: 'answer to a text', request_reported: 'tracking number', request_news: 'news of a report', request_asked: 'a question about a report', request_due: 'to a department', request_late: 'to a department', urgent: 'to a supervisor',
      request_replied: 'is it solved?', request_rejected: 'the report was rejected', request_closed: 'the report was closed',
      followed_replied: 'a report they follow: solved?', followed_rejected: 'a report they follow was rejected', followed_closed: 'a report they follow was closed', sign_in_code: 'a code to sign in', notice: 'notice', request_step: 'a step of a request, to a webhook',
    },
    delivery: { pending: 'waits to be sent', sending: 'being sent', sent: 'sent', failed: 'not delivered', expired: 'too late; not sent' },
  },
}
