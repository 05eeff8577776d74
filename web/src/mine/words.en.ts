import type { words as fa } from './words.fa'

export const words: typeof fa = {
  mine: {
    title: 'My statistics',
    week: (first, last) => `Week from ${first} to ${last}`,
    earlier: 'Week before',
    later: 'Week after',
    day: 'Day',
    conversations: 'conversations',
    total: 'All',
    nothing: 'Nothing has happened at the desk on this day.',
  },
}
