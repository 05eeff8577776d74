import { PasswordInput } from '@mantine/core'
import { useLanguage } from '../language/language'

interface Props {
  label: string
  value: string
  autoComplete: 'current-password' | 'new-password' | 'off'
  onChange: (value: string) => void
  description?: string
  /** A dialog's first thing to write. */
  focused?: boolean
  error?: string | null
  'data-form'?: string
  'data-field'?: string
  'data-testid': string
}

/** A password or a PIN, which its writer may look at. */
export function SecretInput({ onChange, focused = false, ...rest }: Props) {
  const { text } = useLanguage()
  return (
    <PasswordInput
      {...rest} aria-invalid={Boolean(rest.error)} {...(focused && { 'data-autofocus': true })} size="md" dir="ltr" maxLength={200} visibilityToggleButtonProps={{ 'aria-label': text.secret.show }}
      classNames={{ innerInput: 'latin' }} styles={{ label: { direction: 'inherit' } }} onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
