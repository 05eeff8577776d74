import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { accountKeys, keys } from '../api/keys'
import { useLanguage } from '../language/language'
import style from './account.module.css'

/** Recovery codes, this once, until their person has noted them. */
export function Codes({ codes }: { codes: string[] }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const noted = async () => {
    await queries.invalidateQueries({ queryKey: keys.me })
    void queries.invalidateQueries({ queryKey: accountKeys.account })
    queries.setQueryData(accountKeys.codes, null)
  }
  return (
    <Stack gap="md">
      <Title order={1} size="h3">{text.secondStep.codes}</Title>
      <Text size="sm">{text.secondStep.codesHelp}</Text>
      <ol className={style.codes} data-testid="recovery-codes">
        {codes.map((code) => <li key={code} className="number">{format.digits(code)}</li>)}
      </ol>
      <Group grow>
        <Button variant="default" size="md" onClick={() => window.print()}>{text.secondStep.print}</Button>
        <Button size="md" onClick={() => void noted()} data-testid="noted">{text.secondStep.noted}</Button>
      </Group>
    </Stack>
  )
}
