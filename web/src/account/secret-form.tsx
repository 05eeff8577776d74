import { Button, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode, type SubmitEvent } from 'react'
import { accountKeys } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { SecretInput } from '../ui/secret-input'
import { useFields } from '../ui/use-fields'

interface Props {
  /** What is set: its name in tests, its label, its help. */
  name: 'password' | 'pin'
  label: string
  help: string
  action: string
  autoComplete: 'new-password' | 'off'
  save: (present: string, fresh: string) => Promise<unknown>
  children?: ReactNode
}

/** The present password and something new; both are gone from the page once it is saved. */
export function SecretForm({ name, label, help, action, autoComplete, save, children }: Props) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [present, setPresent] = useState('')
  const [fresh, setFresh] = useState('')
  const change = useMutation({
    mutationFn: () => save(present, fresh),
    onSuccess: async () => {
      setPresent('')
      setFresh('')
      await queries.invalidateQueries({ queryKey: accountKeys.account })
    },
  })

  const field = name === 'password' ? 'new' : 'pin'
  const { missing } = text.fields
  const { at, rest, send } = useFields({ password: !present && missing, [field]: !fresh && missing }, change.error)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!change.isPending) send(change.mutate)
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {children}
        <SecretInput
          {...at('password')} label={text.account.present} value={present} data-testid={`present-for-${name}`} autoComplete="current-password"
          onChange={setPresent}
        />
        <SecretInput
          {...at(field)} label={label} description={help} value={fresh} data-testid={`new-${name}`} autoComplete={autoComplete} onChange={setFresh}
        />
        <ErrorNotice error={rest} />
        <Text role="status" size="sm" c="var(--accent-ink)" className="live">{change.isSuccess ? text.account.saved : ''}</Text>
        <Button type="submit" variant="light" loading={change.isPending} data-testid={`save-${name}`}>
          {action}
        </Button>
      </Stack>
    </form>
  )
}
