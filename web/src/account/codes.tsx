import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { accountKeys, keys } from '../api/keys'
import { useLanguage } from '../language/language'
import { setFreshCodes } from './queries'
import style from './account.module.css'

/** Recovery codes, this once, until their person has noted them; none: they were shown, and how to get others. */
export function Codes({ codes }: { codes: string[] }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const gone = codes.length === 0
  const [, navigate] = useLocation()
  const noted = async () => {
    await queries.invalidateQueries({ queryKey: keys.me })
    void queries.invalidateQueries({ queryKey: accountKeys.account })
    setFreshCodes(queries, null)
  }
  const again = async () => {
    await noted()
    navigate('/account')
  }
  return (
    <Stack gap="md">
      <Title order={1} size="h3">{text.secondStep.codes}</Title>
      <Text size="sm" data-testid="codes-help">{gone ? text.secondStep.codesGone : text.secondStep.codesHelp}</Text>
      {!gone && (
        <ol className={style.codes} data-testid="recovery-codes">
          {codes.map((code) => <li key={code} className="number">{format.digits(code)}</li>)}
        </ol>
      )}
      <Group grow preventGrowOverflow={false}>
        {gone
          ? <Button variant="default" size="md" onClick={() => void again()} data-testid="codes-again">{text.secondStep.codesAgain}</Button>
          : <Button variant="default" size="md" onClick={() => window.print()}>{text.secondStep.print}</Button>}
        <Button size="md" onClick={() => void noted()} data-testid="noted">{text.secondStep.noted}</Button>
      </Group>
    </Stack>
  )
}
