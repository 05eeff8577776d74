import type { words as fa } from './words.fa'

export const words: typeof fa = {
  audit: {
    title: 'Audit log',
    who: 'Who',
    anybody: 'Everybody',
    commandLine: 'Command line',
    action: 'What',
    anyAction: 'Everything',
    subject: 'To whom',
    anySubject: 'Anything',
    subjects: {
      person: 'person', desk: 'desk', number: 'number', round: 'round', registration: 'registration', callback: 'callback', message: 'message', request: 'request',
      department: 'department',
      official: 'official', rule: 'timetable rule', audit: 'audit log', reports: 'statistics', address: 'network address',
    },
    which: 'Which',
    export: 'Export for a spreadsheet (CSV)',
    none: 'Nothing on record matches.',
    end: 'The log begins here',
  },
}
