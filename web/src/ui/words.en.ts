import { city } from '../../shared/language/city'
import type { words as fa } from './words.fa'

/** What the head and the parts of every page say. */
export const words: typeof fa = {
  connectionLost: 'The connection is lost. Trying to connect again…',
  broken: {
    part: 'This part of the page cannot be shown. Perhaps a newer version of the system was installed.', page: 'This page cannot be shown. Perhaps a newer version of the system was installed.',
    loadAgain: 'Load the page again', toAccount: 'My account',
  },
  fields: { missing: 'Write this.', choose: 'Choose one.' },
  clock: `Time in ${city.name.en}`,
  scheme: { is: (now) => `Look of the pages: ${now}`, auto: 'as the system', light: 'light', dark: 'dark' },
  takenBack: 'What was done',
  takeItBack: (left) => `Take it back (${left} s)`,
  player: { play: 'Play', pause: 'Pause', position: 'Position', letter: (letter) => `Play and pause: ${letter}` },
  dialog: { keep: 'Back', close: 'Close', reason: 'Reason' },
  filters: { from: 'From', until: 'Until', anyDay: 'any day', clear: 'Clear the filters' },
  loadMore: 'Show more',
  time: { hour: 'Time', wrong: 'Write the time like 09:30.' },
  secret: { code: 'Code', show: 'Show the password' },
}
