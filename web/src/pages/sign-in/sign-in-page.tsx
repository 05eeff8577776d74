import { Button, Paper, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { accountKeys, useSignInStep } from '../../api/account'
import { signOut } from '../../api/calls'
import { useLanguage } from '../../language/language'
import { LanguageSwitch } from '../../ui/language-switch'
import { SetUpSecondFactor } from '../../ui/set-up-second-factor'
import { CodeStep } from './code-step'
import { PasswordStep } from './password-step'
import style from './sign-in.module.css'

export function SignInPage() {
  const { text } = useLanguage()
  const step = useSignInStep().data
  return (
    <main className={style.page}>
      <div className={style.brand}>
        <div className={style.number} aria-hidden>{text.brandNumber}</div>
        <Text c="dimmed">{text.city}</Text>
      </div>
      <Paper className={style.card} withBorder p="xl" radius="lg">
        {step?.step === 'code' && <CodeStep />}
        {step?.step === 'set-up' && (
          <Stack gap="xs">
            <Title order={1} size="h3">{text.secondStep.setUp}</Title>
            <Text size="sm" c="dimmed">{text.secondStep.asked}</Text>
            <SetUpSecondFactor password="" />
          </Stack>
        )}
        {step?.step !== 'code' && step?.step !== 'set-up' && <PasswordStep city={step?.city ?? false} />}
        {(step?.step === 'code' || step?.step === 'set-up') && <StartOver />}
      </Paper>
      <LanguageSwitch />
    </main>
  )
}

function StartOver() {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: () => queries.invalidateQueries({ queryKey: accountKeys.step }),
  })
  return (
    <Button variant="subtle" fullWidth mt="xs" loading={leave.isPending} onClick={() => leave.mutate()} data-testid="start-over">
      {text.secondStep.startOver}
    </Button>
  )
}
