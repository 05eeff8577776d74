import type { Text } from './fa'
import type { faAccountProblem } from './fa-account'

/** Texts of signing in and of one's own account. */
export const enAccount: Pick<Text, 'signIn' | 'secondStep' | 'account'> = {
  signIn: {
    title: 'Sign in to your desk',
    username: 'User name',
    password: 'Password',
    submit: 'Sign in',
    showPassword: 'Show the password',
    missing: 'Write your user name and password.',
  },
  secondStep: {
    title: 'Your code',
    help: 'Write the six digits that your authenticator shows. Without it at hand, write one of your recovery codes.',
    code: 'Code',
    go: 'Continue',
    setUp: 'Set up a second step',
    asked: 'Your role asks for a second step in signing in.',
    scan: 'Scan this with an authenticator on your mobile phone, then write the code that it shows.',
    qr: 'The key, for an authenticator to scan',
    orKey: 'Or key this into it:',
    codes: 'Recovery codes',
    codesHelp: 'Write these down or print them, and keep them safe. Each is taken once instead of the authenticator’s code. They are not shown again.',
    print: 'Print',
    noted: 'Noted, continue',
    city: 'Sign in with your city account',
    startOver: 'Sign in as somebody else',
  },
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

export const enAccountProblem: typeof faAccountProblem = {
  'second-factor-due': 'Write your code first.',
  'wrong-code': 'This code is wrong, or was used already. Write the present one.',
  'no-offer': 'This took too long. Begin again.',
  'wrong-password': 'This is not your present password.',
  'password-short': 'A password has at least 8 characters.',
  'password-trivial': 'This password is easily guessed. Choose another one.',
  'pin-unfit': 'A PIN has 4 to 8 digits.',
  'second-factor-asked': 'Your role asks for a second step in signing in.',
  'city-away': 'The city’s sign-in does not answer. Try again a little later, or sign in with a password.',
  'city-refused': 'Signing in with your city account did not succeed. Try again.',
  'city-unknown': 'This city account is not known to Hotline 137. Ask its administrator to add you.',
}
