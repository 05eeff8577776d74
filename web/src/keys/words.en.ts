import type { words as fa } from './words.fa'

export const words: typeof fa = {
  apiKeys: {
    title: 'Keys of programs',
    help: 'With a key another program reads or files city requests.',
    none: 'No key has been issued yet.',
    add: 'New key',
    name: 'For which program?',
    scopes: 'It may',
    scope: { read: 'list all requests', report: 'file requests' },
    noScope: 'Choose at least one.',
    perMinute: 'At most so often a minute',
    perMinuteWrong: 'Write a number from 1 to 6000.',
    rate: (count) => `at most ${count} times a minute`,
    save: 'Issue the key',
    once: (name) => `The key “${name}” is shown this once. Hand it to whoever makes the program.`,
    copy: 'Copy',
    copied: 'Copied',
    done: 'I have noted it',
    made: 'issued by',
    used: (when) => `last used ${when}`,
    unused: 'not used yet',
    revoke: 'Revoke',
    revokeTitle: (name) => `Revoke the key “${name}”?`,
    revokeHelp: 'The program gets no answer from this moment on. A revoked key never works again; its requests stay.',
    revoked: (when) => `revoked ${when}`,
  },
}
