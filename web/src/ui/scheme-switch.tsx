import { ActionIcon, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun, type Icon } from '@tabler/icons-react'
import { useLanguage } from '../language/language'

const ICONS: Record<MantineColorScheme, Icon> = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }
const NEXT: Record<MantineColorScheme, MantineColorScheme> = { auto: 'light', light: 'dark', dark: 'auto' }

/** As the system is, light, dark: each press the next. */
export function SchemeSwitch() {
  const { text } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const Now = ICONS[colorScheme]
  const word = text.scheme.is(text.scheme[colorScheme])
  return (
    <ActionIcon
      variant="subtle" color="gray" size="lg" title={word} aria-label={word} data-testid="scheme" data-chosen={colorScheme}
      onClick={() => setColorScheme(NEXT[colorScheme])}
    >
      <Now aria-hidden size={20} stroke={1.6} />
    </ActionIcon>
  )
}
