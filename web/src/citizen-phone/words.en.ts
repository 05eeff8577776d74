import type { words as fa } from './words.fa'

export const words: typeof fa = {
  citizenPhone: {
    title: 'A citizen’s phone',
    off: 'The phone in the browser is switched off in this system.',
    line: 'Line',
    lineOption: (line, number) => `Line ${line}: ${number}`,
    ownNumber: 'This phone’s number',
    state: {
      disconnected: 'not connected',
      registered: 'ready',
      calling: 'dialling 137…',
      ringing: '137 is calling',
      talking: 'in conversation',
    },
    dial: 'Dial 137',
    hangUp: 'Hang up',
    answer: 'Answer',
    reject: 'Reject',
    keypad: 'Keypad',
    star: 'star',
    hash: 'hash',
    pressed: 'Keys pressed',
  },
}
