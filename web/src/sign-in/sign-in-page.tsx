import { Group, Paper, Text } from '@mantine/core'
import { useLanguage } from '../language/language'
import { LanguageSwitch } from '../ui/language-switch'
import { SchemeSwitch } from '../ui/scheme-switch'
import { Steps } from './steps'
import style from './sign-in.module.css'

export default function SignInPage() {
  const { text } = useLanguage()
  return (
    <main className={style.page}>
      <div className={style.emblem} aria-hidden />
      <div className={style.brand}>
        <div className={style.number} aria-hidden>{text.brandNumber}</div>
        <Text c="dimmed">{text.city}</Text>
      </div>
      <Paper className={style.card} withBorder p="xl" radius="lg">
        <Steps />
      </Paper>
      <Group gap="xs">
        <LanguageSwitch />
        <SchemeSwitch />
      </Group>
    </main>
  )
}
