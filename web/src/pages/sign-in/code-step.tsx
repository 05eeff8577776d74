import { Button, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { showCode } from '../../api/account'
import { keys } from '../../api/queries'
import { useLanguage } from '../../language/language'
import { CodeInput } from '../../ui/code-input'
import { Complaint } from '../../ui/complaint'

/** The second step: the authenticator's code. */
export function CodeStep() {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const [code, setCode] = useState('')
  const shown = useMutation({
    mutationFn: () => showCode(code),
    onSuccess: (me) => queries.setQueryData(keys.me, me),
    onError: () => setCode(''),
  })

  function submit(event: SubmitEvent) {
    event.preventDefault()
    if (code.trim() && !shown.isPending) shown.mutate()
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Title order={1} size="h3">{text.secondStep.title}</Title>
        <Text size="sm">{text.secondStep.help}</Text>
        <CodeInput value={code} onChange={setCode} />
        <Complaint error={shown.error} />
        <Button type="submit" size="md" fullWidth loading={shown.isPending} data-testid="submit">{text.secondStep.go}</Button>
      </Stack>
    </form>
  )
}
