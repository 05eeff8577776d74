import type { words as fa } from './words.fa'

export const words: typeof fa = {
  blocked: {
    title: 'Blocked numbers',
    none: 'No number is blocked.',
    noneFound: 'No blocked number matches this search.',
    search: 'Search a number or a note',
    number: 'Telephone number',
    reason: 'Why? The caller hears this',
    reasons: { nuisance: 'nuisance', owner: 'the owner’s wish' },
    note: 'Note (for the office only)',
    block: 'Block',
    help: 'A blocked number cannot register, and its waiting registrations are cancelled.',
    done: (number, count) => `${number} is blocked. Waiting registrations cancelled: ${count}.`,
    doneNone: (number) => `${number} is blocked. It had no waiting registration.`,
    askTitle: (number) => `Block ${number}?`,
    ask: (count) => `Places of this number in a line: ${count}. They are cancelled and do not come back.`,
    askAction: (count) => `Block, and cancel places: ${count}`,
    beingCalled: 'This number is being called now; that call goes on and is the last one.',
    unblock: 'Unblock',
    unblocked: (number) => `${number} is blocked no more.`,
    unblockTitle: (number) => `Unblock ${number}?`,
    unblockHelp: 'The number can register again. Cancelled registrations do not come back.',
  },
}
