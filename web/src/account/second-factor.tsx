import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { accountKeys } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { SecretInput } from '../ui/secret-input'
import { useFields } from '../ui/use-fields'
import { removeSecondFactor, type Account } from './queries'
import { SetUpSecondFactor } from './set-up-second-factor'

/** Whether there is a second factor; setting it up, replacing and removing it, for the password. */
export function SecondFactor({ account }: { account: Account }) {
  const { text, format } = useLanguage()
  const { factor } = text.account
  const queries = useQueryClient()
  const [password, setPassword] = useState('')
  const [settingUp, setSettingUp] = useState(false)
  const removal = useMutation({
    mutationFn: () => removeSecondFactor(password),
    onSuccess: () => queries.invalidateQueries({ queryKey: accountKeys.account }),
    onSettled: () => setPassword(''),
  })
  const [refused, setRefused] = useState<Error | null>(null)
  const { at, rest, send } = useFields({ password: !password && text.fields.missing }, removal.error ?? refused)
  if (settingUp) {
    const stop = (why: Error | null) => {
      setSettingUp(false)
      setPassword('')
      setRefused(why)
    }
    return (
      <SetUpSecondFactor password={password} onRefused={stop}>
        <Button variant="default" onClick={() => stop(null)}>{text.account.cancel}</Button>
      </SetUpSecondFactor>
    )
  }
  const setUp = () => {
    removal.reset()
    setSettingUp(true)
  }
  return (
    <Stack gap="sm">
      <Text size="sm" data-testid="factor-state">
        {account.second_factor ? factor.on(format.number(account.recovery_codes_left)) : factor.off}{' '}
        {account.second_factor_asked && factor.asked}
      </Text>
      <SecretInput
        {...at('password')} label={text.account.present} value={password} data-testid="present-for-factor" autoComplete="current-password"
        onChange={setPassword}
      />
      <ErrorNotice error={rest} />
      <Group grow>
        <Button variant="light" onClick={() => send(setUp)} data-testid="set-up-factor">
          {account.second_factor ? factor.replace : factor.setUp}
        </Button>
        {account.second_factor && !account.second_factor_asked && (
          <Button
            variant="light" color="brick" loading={removal.isPending} data-testid="remove-factor"
            onClick={() => send(removal.mutate)}
          >
            {factor.remove}
          </Button>
        )}
      </Group>
    </Stack>
  )
}
