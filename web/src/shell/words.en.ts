import type { words as fa } from './words.fa'

/** What stays while the pages change. */
export const words: typeof fa = {
  shell: {
    notHere: {
      title: 'This page did not open',
      notForYou: (page: string) => `“${page}” is not for your role. If you need it, ask the administrator.`,
      nothing: 'There is no such address; it may be cut short, or old.',
      home: 'To my work',
    },
    rail: 'Sections',
    tabs: 'Pages of this section',
    destinations: {
      work: 'My work',
      control: 'Control room',
      citizens: 'Citizens',
      calendar: 'Calendar',
      requests: 'City reports',
      figures: 'Figures',
      records: 'Records',
      staff: 'Staff',
      account: 'My account',
    },
    more: 'More',
    late: (count: string) => `${count} overdue`,
    alarms: (count) => `${count} alarms`,
    heard: {
      listen: () => 'A supervisor listens to this conversation; the citizen hears nothing of it.',
      whisper: (name) => `${name} whispers to you; the citizen does not hear it.`,
      join: (name) => `${name} has joined the conversation; the citizen hears it, too.`,
    },
    wordOf: (name, time) => `${name}, ${time}:`,
    haveRead: 'I have read it',
    searchKeys: 'Ctrl K',
    call: 'The call',
    back: 'Back to the call',
  },
}
