import { useMantineColorScheme } from '@mantine/core'
import { useContext } from 'react'
import { useLocation } from 'wouter'
import type { Me } from '../api/types'
import { useBreak } from '../desk/use-break'
import { LanguageContext } from '../language/language'
import { useDeskPhone } from '../phone/desk-phone'
import { keysHelp } from '../shortcuts/keys'
import { useStore } from '../ui/store'
import { useBreakWord } from '../desks/use-desk-words'
import { useSignOut } from '../head/use-sign-out'
import { commandsOf, labelOf, type Command } from './commands'
import { isCalled } from './results'

/** A command among what was found; it is done once what it returns is. */
export interface Deed {
  key: string
  label: string
  act: () => Promise<void>
}

/** The commands of this name. */
export function useCommands(me: Me, typed: string): Deed[] {
  const [{ code, text }, change] = useContext(LanguageContext)
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const [path, go] = useLocation()
  const phone = useDeskPhone()
  const { state } = useStore(phone.status)
  const breakWord = useBreakWord()
  const rest = useBreak()
  const leave = useSignOut()

  /** If the phone does not come, its panel says why. */
  const connect = async () => {
    await phone.connect()
    if (phone.status.get().state === 'disconnected') go('/desk')
  }
  const act = async (command: Command) => {
    if (command.does === 'scheme') setColorScheme(command.scheme)
    if (command.does === 'break') await rest.mutateAsync(command.reason)
    if (command.does === 'break-over') await rest.mutateAsync(null)
    if (command.does === 'keys') keysHelp.set({ open: true })
    if (command.does === 'language') change(code === 'fa' ? 'en' : 'fa')
    if (command.does === 'phone') void connect()
    if (command.does === 'sign-out') await leave.mutateAsync()
  }
  return commandsOf(me, { page: path.split('/')[1] ?? '', scheme: colorScheme, phone: state })
    .map((command) => ({ key: Object.values(command).join('-'), label: labelOf(command, text, breakWord), act: () => act(command) }))
    .filter(({ label }) => isCalled(label, typed))
}
