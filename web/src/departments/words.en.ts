import type { words as fa } from './words.fa'

export const words: typeof fa = {
  departments: {
    title: 'Departments',
    none: 'There is no department yet.',
    add: 'Add a department',
    change: 'Rename',
    nameFa: 'Persian name',
    nameEn: 'English name',
    deactivate: 'Deactivate',
    activate: 'Activate',
    inactive: 'Not active',
    open: 'Open referrals',
    overdue: 'Overdue',
    show: (name) => `Requests of ${name}`,
    about: (name) => `What may be done with ${name}`,
  },
}
