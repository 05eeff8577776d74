import type { Text } from './fa'

/** The texts of hearing: a round's desks while they speak, and its recordings. */
export const enSupervising: Pick<Text, 'desks' | 'recordings'> = {
  desks: {
    title: 'Desks of this round',
    none: 'No desk serves this round yet.',
    speaks: (ticket, time) => `speaks with ${ticket}, ${time}`,
    connecting: (ticket) => `${ticket} is being connected`,
    asks: 'ready for the next citizen',
    free: 'speaks with nobody',
    away: 'the desk’s phone is away',
    how: { listen: 'Listen', whisper: 'Whisper to the desk', join: 'Join' },
    stop: 'End',
    buttons: (desk) => `Conversation of desk ${desk}`,
    connectFirst: 'Connect your own desk’s phone to hear conversations.',
  },
  recordings: {
    title: 'Recorded conversations',
    none: 'No conversation is recorded yet.',
    logged: 'Each hearing is written to the audit log.',
    player: (ticket) => `Conversation with ticket ${ticket}`,
    silent: 'no sound was recorded',
    deleted: (when) => `deleted ${when}`,
    broken: 'Not played: the file was changed or is away.',
  },
}
