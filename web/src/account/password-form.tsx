import { useLanguage } from '../language/language'
import { changePassword } from './queries'
import { SecretForm } from './secret-form'

export function PasswordForm({ username }: { username: string }) {
  const { text } = useLanguage()
  const { fresh, help, change } = text.account.password
  return (
    <SecretForm name="password" label={fresh} help={help} action={change} autoComplete="new-password" save={changePassword}>
      {/* So that password managers know whose password changes. */}
      <input type="hidden" name="username" autoComplete="username" value={username} />
    </SecretForm>
  )
}
