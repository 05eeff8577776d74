import { TextInput } from '@mantine/core'
import { useLanguage } from '../language/language'

const focus = (input: HTMLInputElement | null) => input?.focus()

interface Props {
  value: string
  onChange: (value: string) => void
  error?: string | null
  'data-form'?: string
  'data-field'?: string
}

/** Where an authenticator's code is written; a page's first thing. */
export function CodeInput({ value, onChange, error = null, ...rest }: Props) {
  const { text } = useLanguage()
  return (
    <TextInput
      {...rest} error={error} ref={focus} label={text.secret.code} value={value} size="md" data-testid="code" dir="ltr" inputMode="numeric"
      autoComplete="one-time-code" maxLength={40} onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
