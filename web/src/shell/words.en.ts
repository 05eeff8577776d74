import type { words as fa } from './words.fa'

/** What stays while the pages change. */
export const words: typeof fa = {
  shell: {
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
    searchKeys: 'Ctrl K',
    call: 'The call',
    back: 'Back to the call',
  },
}
