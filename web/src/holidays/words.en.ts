import type { words as fa } from './words.fa'

export const words: typeof fa = {
  holidays: {
    title: 'Holidays',
    help: 'No rounds are made on holidays. Islamic holidays are computed ahead and may be a day off; the city’s own list wins over the calendar.',
    add: 'Add a day',
    addTitle: 'New holiday',
    day: 'Day',
    previous: 'Previous year',
    next: 'Next year',
    official: 'official calendar',
    own: 'the city',
    works: 'working day',
    none: 'There is no day in this year.',
  },
}
