import type { words as fa } from './words.fa'

export const words: typeof fa = {
  notices: {
    title: 'Notices',
    help: 'The text of a notice is made from its round, and anew when that is changed or cancelled. What citizens see:',
    publicPage: 'Public page',
    feed: 'Atom feed',
    calendar: 'Calendar (ICS)',
    none: 'There is no notice in this time.',
    older: 'Notices of the past year',
    group: { planned: 'To be published', out: 'Published', past: 'Past' },
    state: { announced: 'Round announced', changed: 'Round changed', cancelled: 'Round cancelled' },
    publishedAt: (when) => `Published: ${when}`,
    updatedAt: (when) => `Present text: ${when}`,
    post: {
      pending: 'On its way to the notice system',
      sending: 'On its way to the notice system',
      failed: 'The notice system did not take it',
      expired: 'The notice system did not take it',
    },
    again: 'Send again',
    copy: { fa: 'Copy in Persian', en: 'Copy in English' },
    texts: 'Texts',
    of: (what, office, when) => `${what}, ${office}, ${when}`,
  },
}
