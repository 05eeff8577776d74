import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { signIn } from '../api/calls'
import { keys } from '../api/queries'
import { latinDigits } from '../language/format'
import { useLanguage } from '../language/language'
import { Complaint } from '../ui/complaint'
import style from './sign-in.module.css'

export function SignInPage() {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState(false)
  const entry = useMutation({
    mutationFn: () => signIn(latinDigits(username.trim()), password),
    onSuccess: (me) => queries.setQueryData(keys.me, me),
    onError: () => setPassword(''),
  })

  function submit(event: SubmitEvent) {
    event.preventDefault()
    const incomplete = !username.trim() || !password
    setMissing(incomplete)
    if (!incomplete && !entry.isPending) entry.mutate()
  }

  return (
    <main className={style.page}>
      <div className={style.brand}>
        <div className={style.number} aria-hidden>{text.brandNumber}</div>
        <Text c="dimmed">{text.city}</Text>
      </div>
      <Paper className={style.card} withBorder p="xl" radius="lg">
        <form onSubmit={submit} noValidate>
          <Stack gap="md">
            <Title order={1} size="h3">{text.signIn.title}</Title>
            <TextInput
              label={text.signIn.username} value={username} size="md" data-testid="username" dir="ltr"
              autoComplete="username" autoCapitalize="none" spellCheck={false}
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label={text.signIn.password} value={password} size="md" data-testid="password"
              autoComplete="current-password" dir="ltr"
              visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            {missing ? <Text role="alert" c="red.8" size="sm">{text.signIn.missing}</Text> : <Complaint error={entry.error} />}
            <Button type="submit" size="md" fullWidth loading={entry.isPending} data-testid="submit">
              {text.signIn.submit}
            </Button>
          </Stack>
        </form>
      </Paper>
    </main>
  )
}
