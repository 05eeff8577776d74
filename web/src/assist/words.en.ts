import type { words as fa } from './words.fa'

export const words: typeof fa = {
  assist: {
    title: 'Assist the official',
    noRound: 'There is no round.',
    official: 'Official',
    noDesk: 'No desk serves this round yet.',
    free: 'is free',
    asked: 'waits for the next citizen',
    ready: 'Ready, waiting for the official',
    nobodyReady: 'Nobody is ready.',
    underWay: 'Being called',
    nobodyUnderWay: 'Nobody is being called now.',
    screen: 'Let me speak first',
    handOver: 'Hand over',
    withMe: 'speaks with you',
    withAnother: 'speaks with another operator',
    connectFirst: 'Connect your desk’s phone to speak with citizens.',
  },
  dismiss: {
    title: 'End the conversation: what became of it?',
    help: 'The official does not get this citizen.',
    back: 'Go on speaking',
  },
}
