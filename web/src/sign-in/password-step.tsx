import { Button, Stack, TextInput, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { latinDigits } from '../../shared/language/digits'
import { Problem } from '../api/problem'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { SecretInput } from '../ui/secret-input'
import { useFields } from '../ui/use-fields'
import { CITY_SIGN_IN, entered, signIn } from './queries'

/** Why the city's sign-in has sent somebody back, if it has. */
const refused = () => new URLSearchParams(location.search).get('refused')

/** `mine`: whose password is asked; nobody else may sign in here. */
export function PasswordStep({ city, mine }: { city: boolean; mine: string | undefined }) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [username, setUsername] = useState(mine ?? '')
  const [password, setPassword] = useState('')
  const [sentBack] = useState(refused)
  const entry = useMutation({
    mutationFn: () => signIn(latinDigits(username.trim()), password),
    onSuccess: (answer) => entered(queries, answer),
    onError: () => setPassword(''),
  })

  const cityError = sentBack !== null && entry.isIdle ? new Problem(sentBack, 403) : null
  // Which of the two is wrong nobody is told.
  const { missing } = text.fields
  const { at, rest, send } = useFields({ username: !username.trim() && missing, password: !password && missing }, entry.error ?? cityError)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!entry.isPending) send(entry.mutate)
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {mine === undefined && <Title order={1} size="h3">{text.signIn.title}</Title>}
        <TextInput
          {...at('username')} label={text.signIn.username} value={username} size="md" data-testid="username" dir="ltr" classNames={{ input: 'latin' }}
          autoComplete="username" readOnly={mine !== undefined} autoCapitalize="none" spellCheck={false}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <SecretInput
          {...at('password')} focused={mine !== undefined} label={text.signIn.password} value={password} data-testid="password" autoComplete="current-password" onChange={setPassword}
        />
        <ErrorNotice error={rest} />
        <Button type="submit" size="md" fullWidth loading={entry.isPending} data-testid="submit">
          {text.signIn.submit}
        </Button>
        {city && (
          <Button component="a" href={CITY_SIGN_IN} {...(mine !== undefined && { target: '_blank' })} variant="default" size="md" fullWidth data-testid="city-sign-in">
            {text.secondStep.city}
          </Button>
        )}
      </Stack>
    </form>
  )
}
