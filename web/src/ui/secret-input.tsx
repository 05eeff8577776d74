import { PasswordInput } from '@mantine/core'
import { useLanguage } from '../language/language'

interface Props {
  label: string
  value: string
  autoComplete: 'current-password' | 'new-password' | 'off'
  onChange: (value: string) => void
  description?: string
  'data-testid': string
}

/** A password or a PIN, which its writer may look at. */
export function SecretInput({ onChange, ...rest }: Props) {
  const { text } = useLanguage()
  return (
    <PasswordInput
      {...rest} size="md" dir="ltr" maxLength={200} visibilityToggleButtonProps={{ 'aria-label': text.signIn.showPassword }}
      styles={{ label: { direction: 'inherit' } }} onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
