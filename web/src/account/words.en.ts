import type { words as fa } from './words.fa'

export const words: typeof fa = {
  account: {
    title: 'My account',
    saved: 'Saved.',
    present: 'Present password',
    cancel: 'Cancel',
    password: {
      title: 'Password',
      fresh: 'New password',
      help: 'At least 8 characters, and none of the common ones. Your other sessions end.',
      change: 'Change the password',
    },
    factor: {
      title: 'Second step in signing in',
      on: (left) => `It is on. Recovery codes left: ${left}.`,
      off: 'It is off. With it, nobody signs in by knowing your password alone.',
      asked: 'Your role asks for it.',
      setUp: 'Set up',
      replace: 'Replace',
      remove: 'Turn off',
    },
    pin: {
      title: 'Telephone PIN',
      help: 'If your desk’s phone is a telephone line, you key this in after picking up.',
      has: 'You have a PIN.',
      hasNone: 'You have no PIN yet.',
      fresh: 'New PIN (4 to 8 digits)',
      change: 'Save the PIN',
    },
    sessions: {
      title: 'My sessions',
      current: 'this one',
      seen: (when) => `last used ${when}`,
      begun: (when) => `begun ${when}`,
      browser: (name, system) => (system ? `${name} on ${system}` : name),
      unknown: 'Unknown browser',
      end: 'End',
      endOthers: 'End all other sessions',
    },
  },
}
