import type { words as fa } from './words.fa'

export const words: typeof fa = {
  deskPhone: {
    title: 'Desk’s phone',
    disconnected: 'not connected',
    connecting: 'connecting…',
    connected: 'connected',
    connect: 'Connect the phone',
    disconnect: 'Disconnect',
    mute: 'Mute',
    unmute: 'The microphone is off',
    yourVoice: 'Your voice',
    theirVoice: 'Their voice',
    unheard: 'The system does not hear this phone yet…',
    otherComputer: 'This desk’s phone is connected in another browser or on another computer.',
    elsewhere: 'in another window',
    elsewhereHelp: (page) => `This desk’s phone is open in another window${page && ` (${page})`}. A conversation goes on there.`,
    here: 'Bring it here',
    sipHelp: (extension) =>
      `Pick up the desk’s phone and dial ${extension}. Do not hang up; one citizen after the other is connected to this same call.`,
  },
  phoneProblem: {
    'microphone-denied': 'The microphone is not allowed. Allow it in the browser’s address bar.',
    'microphone-missing': 'No microphone was found.',
    insecure: 'The browser allows the microphone on a safe address (https) only.',
    network: 'The telephone system does not answer.',
    lost: 'The sound of the phone was cut off. It comes back by itself.',
    refused: 'The telephone system refused this phone.',
    busy: 'It was busy.',
    rejected: 'The call was rejected.',
    'no-answer': 'There was no answer.',
    failed: 'The call failed.',
  },
  microphoneLoss: {
    replaced: (name) => `Your microphone was cut off. You are heard by another one now${name && `: ${name}`}.`,
    missing: 'Your microphone was cut off and nobody hears you. Plug one in; it is used at once.',
    understood: 'All right',
  },
}
