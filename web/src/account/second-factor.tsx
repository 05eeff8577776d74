import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { accountKeys } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { SecretInput } from '../ui/secret-input'
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
  if (settingUp) {
    const stop = () => {
      setSettingUp(false)
      setPassword('')
    }
    return (
      <SetUpSecondFactor password={password}>
        <Button variant="default" onClick={stop}>{text.account.cancel}</Button>
      </SetUpSecondFactor>
    )
  }
  return (
    <Stack gap="sm">
      <Text size="sm" data-testid="factor-state">
        {account.second_factor ? factor.on(format.number(account.recovery_codes_left)) : factor.off}{' '}
        {account.second_factor_asked && factor.asked}
      </Text>
      <SecretInput
        label={text.account.present} value={password} data-testid="present-for-factor" autoComplete="current-password"
        onChange={setPassword}
      />
      <ErrorNotice error={removal.error} />
      <Group grow>
        <Button variant="light" disabled={!password} onClick={() => setSettingUp(true)} data-testid="set-up-factor">
          {account.second_factor ? factor.replace : factor.setUp}
        </Button>
        {account.second_factor && !account.second_factor_asked && (
          <Button
            variant="light" color="brick" disabled={!password} loading={removal.isPending} data-testid="remove-factor"
            onClick={() => removal.mutate()}
          >
            {factor.remove}
          </Button>
        )}
      </Group>
    </Stack>
  )
}
