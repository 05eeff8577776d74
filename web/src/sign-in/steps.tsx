import { Stack, Text, Title } from '@mantine/core'
import { SetUpSecondFactor } from '../account/set-up-second-factor'
import { useLanguage } from '../language/language'
import { CodeStep } from './code-step'
import { FirstVisitStep } from './first-visit-step'
import { NewPasswordStep } from './new-password-step'
import { PasswordStep } from './password-step'
import { useSignInStep } from './queries'
import { StartOver } from './start-over'

/** Signing in, one step after the other. `mine`: the person whose page it is, where it is asked over a page. */
export function Steps({ mine }: { mine?: string }) {
  const { text } = useLanguage()
  const step = useSignInStep().data
  const order = mine === undefined ? 1 : 3
  const first = step?.step !== 'code' && step?.step !== 'new-password' && step?.step !== 'set-up'
  return (
    <>
      {step?.step === 'code' && <CodeStep order={order} />}
      {step?.step === 'new-password' && <NewPasswordStep order={order} />}
      {step?.step === 'set-up' && (
        <Stack gap="xs">
          <Title order={order} size="h3">{text.secondStep.setUp}</Title>
          <Text size="sm" c="dimmed">{text.secondStep.asked}</Text>
          <SetUpSecondFactor password="" />
        </Stack>
      )}
      {step?.step === 'first-visit' && <FirstVisitStep />}
      {first && step?.step !== 'first-visit' && <PasswordStep city={step?.city ?? false} mine={mine} />}
      {(!first || mine !== undefined) && <StartOver leaves={mine !== undefined} />}
    </>
  )
}
