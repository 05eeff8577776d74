import type { words as fa } from './words.fa'

export const words: typeof fa = {
  departments: {
    title: 'Departments',
    none: 'There is no department yet.',
    add: 'Add a department',
    change: 'Change',
    nameFa: 'Persian name',
    nameEn: 'English name',
    number: 'Telephone (optional)',
    numberHelp: 'Desks may call it into a conversation with a citizen.',
    deactivate: 'Deactivate',
    activate: 'Activate',
    inactive: 'Not active',
    deactivated: (name) => `${name} is not active any more.`,
    open: 'Open referrals',
    overdue: 'Overdue',
    show: (name) => `Requests of ${name}`,
    about: (name) => `What may be done with ${name}`,
  },
}
