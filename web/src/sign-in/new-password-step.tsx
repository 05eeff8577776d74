import { Button, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { SecretInput } from '../ui/secret-input'
import { useFields } from '../ui/use-fields'
import { choosePassword, entered } from './queries'

/** After a password that somebody else has set: one that only its person knows. */
export function NewPasswordStep({ order }: { order: 1 | 3 }) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [fresh, setFresh] = useState('')
  const chosen = useMutation({ mutationFn: () => choosePassword(fresh), onSuccess: (answer) => entered(queries, answer) })
  const { at, rest, send } = useFields({ new: !fresh && text.fields.missing }, chosen.error)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!chosen.isPending) send(chosen.mutate)
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Title order={order} size="h3">{text.newPassword.title}</Title>
        <Text size="sm">{text.newPassword.why}</Text>
        <SecretInput
          {...at('new')} focused label={text.newPassword.fresh} description={text.newPassword.help} value={fresh}
          data-testid="new-password" autoComplete="new-password" onChange={setFresh}
        />
        <ErrorNotice error={rest} />
        <Button type="submit" size="md" fullWidth loading={chosen.isPending} data-testid="submit">{text.newPassword.go}</Button>
      </Stack>
    </form>
  )
}
