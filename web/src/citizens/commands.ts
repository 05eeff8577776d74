import type { MantineColorScheme } from '@mantine/core'
import type { Me } from '../api/types'
import type { Text } from '../language/fa'
import type { RoomStatus } from '../phone/room-phone'
import { REASONS, type BreakReason } from '../desks/break-reasons'
import { KEYS_OF } from '../shortcuts/keys'

/** How things stand where a command is looked for. */
export interface Here {
  /** The name of the page. */
  page: string
  scheme: MantineColorScheme
  phone: RoomStatus['state']
}

/** What is done from anywhere. */
export type Command =
  | { does: 'scheme'; scheme: MantineColorScheme }
  | { does: 'break'; reason: BreakReason }
  | { does: 'break-over' | 'keys' | 'language' | 'phone' | 'sign-out' }

/** What this person can do here; an auditor, who only reads, has no desk to command. */
export function commandsOf(me: Me, { page, scheme, phone }: Here): Command[] {
  const desk = me.role === 'auditor' ? null : me.desk
  const commands: Command[] = []
  if (desk && !desk.phone_connected && desk.phone !== 'sip' && phone === 'disconnected') commands.push({ does: 'phone' })
  if (desk?.break_since) commands.push({ does: 'break-over' })
  if (desk && !desk.break_since) commands.push(...REASONS.map((reason) => ({ does: 'break' as const, reason })))
  if (KEYS_OF[page]) commands.push({ does: 'keys' })
  const schemes: MantineColorScheme[] = ['light', 'dark', 'auto']
  commands.push(...schemes.filter((one) => one !== scheme).map((one) => ({ does: 'scheme' as const, scheme: one })))
  return [...commands, { does: 'language' }, { does: 'sign-out' }]
}

/** What it is called. */
export function labelOf(command: Command, { search: { commands } }: Text, breakWord: (reason: BreakReason) => string): string {
  switch (command.does) {
    case 'scheme': return commands.scheme[command.scheme]
    case 'break': return commands.break(breakWord(command.reason))
    case 'break-over': return commands.breakOver
    case 'sign-out': return commands.signOut
    default: return commands[command.does]
  }
}
