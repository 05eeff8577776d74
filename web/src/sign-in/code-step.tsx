import { Button, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { useLanguage } from '../language/language'
import { CodeInput } from '../ui/code-input'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { entered, showCode } from './queries'

/** The second step: the authenticator's code. */
export function CodeStep({ order }: { order: 1 | 3 }) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [code, setCode] = useState('')
  const shown = useMutation({
    mutationFn: () => showCode(code),
    onSuccess: (answer) => entered(queries, answer),
    onError: () => setCode(''),
  })

  const { at, rest, send } = useFields({ code: !code.trim() && text.fields.missing }, shown.error)

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (!shown.isPending) send(shown.mutate)
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Title order={order} size="h3">{text.secondStep.title}</Title>
        <Text size="sm">{text.secondStep.help}</Text>
        <CodeInput {...at('code')} value={code} onChange={setCode} />
        <ErrorNotice error={rest} />
        <Button type="submit" size="md" fullWidth loading={shown.isPending} data-testid="submit">{text.secondStep.go}</Button>
      </Stack>
    </form>
  )
}
