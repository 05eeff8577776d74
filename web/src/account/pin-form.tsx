import { Text } from '@mantine/core'
import { latinDigits } from '../../shared/language/digits'
import { useLanguage } from '../language/language'
import { changePin } from './queries'
import { SecretForm } from './secret-form'

export function PinForm({ hasPin }: { hasPin: boolean }) {
  const { text } = useLanguage()
  const { fresh, help, change, has, hasNone } = text.account.pin
  const save = (present: string, pin: string) => changePin(present, latinDigits(pin))
  return (
    <SecretForm name="pin" label={fresh} help={help} action={change} autoComplete="off" save={save}>
      <Text size="sm">{hasPin ? has : hasNone}</Text>
    </SecretForm>
  )
}
