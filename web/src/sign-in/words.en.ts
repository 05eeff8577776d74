import type { words as fa } from './words.fa'

export const words: typeof fa = {
  signIn: {
    title: 'Sign in to your desk',
    username: 'User name',
    password: 'Password',
    submit: 'Sign in',
  },
  signInAgain: {
    title: 'Your session has ended',
    help: (name) => `${name}, write your password to go on. The desk’s phone stays connected, and what you have written stays.`,
  },
  firstVisit: {
    title: 'The first visit',
    why: 'Nobody has an account here yet. Make the administrator’s now; then this page is closed for good.',
    code: 'Code of the first visit',
    codeHelp: 'The log shows it at the start. This command makes a new one:',
    name: 'First and last name',
    go: 'Make the account and continue',
  },
  newPassword: {
    title: 'A password of your own',
    why: 'Somebody else has set the password that you wrote, and knows it. Choose one now that only you know.',
    fresh: 'New password',
    help: 'At least 8 characters, and not easily guessed.',
    go: 'Save and continue',
  },
  secondStep: {
    title: 'Your code',
    help: 'Write the six digits that your authenticator shows. Without it at hand, write one of your recovery codes.',
    go: 'Continue',
    setUp: 'Set up a second step',
    asked: 'Your role asks for a second step in signing in.',
    scan: 'Scan this with an authenticator on your mobile phone, then write the code that it shows.',
    qr: 'The key, for an authenticator to scan',
    orKey: 'Or key this into it:',
    codes: 'Recovery codes',
    codesHelp: 'Write these down or print them, and keep them safe. Each is taken once instead of the authenticator’s code. They are not shown again.',
    codesGone: 'The recovery codes were shown once, and are not shown again. If you have not noted them, replace the second step in “My account”: new codes are shown, and those before are void.',
    codesAgain: 'My account',
    print: 'Print',
    noted: 'Noted, continue',
    city: 'Sign in with your city account',
    startOver: 'Sign in as somebody else',
  },
}
