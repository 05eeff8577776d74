import { Button, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type SubmitEvent } from 'react'
import { useLocation } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Latin } from '../ui/number'
import { SecretInput } from '../ui/secret-input'
import { useFields } from '../ui/use-fields'
import { entered, makeFirst } from './queries'

const LATIN = { dir: 'ltr', classNames: { input: 'latin' }, autoCapitalize: 'none', spellCheck: false } as const

const NEW_CODE = 'hotline137 setup-code'

/** Nobody has an account yet: who has the code from the log is the first administrator. */
export function FirstVisitStep() {
  const { text } = useLanguage()
  const words = text.firstVisit
  const queries = useQueryClient()
  const [, navigate] = useLocation()
  useEffect(() => navigate('/setup', { replace: true }), [navigate])
  const [code, setCode] = useState('')
  const [username, setUsername] = useState('admin')
  const [name, setName] = useState('')
  const [fresh, setFresh] = useState('')
  const made = useMutation({
    mutationFn: () => makeFirst({ code, username: latinDigits(username.trim()), name: name.trim(), new: fresh }),
    onSuccess: (answer) => entered(queries, answer),
  })
  const { missing } = text.fields
  const { at, rest, send } = useFields(
    { code: !code.trim() && missing, name: !name.trim() && missing, username: !username.trim() && missing, new: !fresh && missing }, made.error,
  )

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!made.isPending) send(made.mutate)
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Title order={1} size="h3">{words.title}</Title>
        <Text size="sm">{words.why}</Text>
        <TextInput
          {...at('code')} {...LATIN} label={words.code} description={<>{words.codeHelp} <Latin>{NEW_CODE}</Latin></>} value={code} size="md" maxLength={60} data-testid="setup-code"
          autoComplete="off" onChange={(event) => setCode(event.currentTarget.value)}
        />
        <TextInput
          {...at('name')} label={words.name} value={name} size="md" maxLength={100} data-testid="name" autoComplete="name"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          {...at('username')} {...LATIN} label={text.signIn.username} value={username} size="md" maxLength={64} data-testid="username" autoComplete="username"
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <SecretInput
          {...at('new')} label={text.signIn.password} description={text.newPassword.help} value={fresh} data-testid="new-password" autoComplete="new-password"
          onChange={setFresh}
        />
        <ErrorNotice error={rest} />
        <Button type="submit" size="md" fullWidth loading={made.isPending} data-testid="submit">{words.go}</Button>
      </Stack>
    </form>
  )
}
