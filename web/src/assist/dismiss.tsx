import { Button, Paper } from '@mantine/core'
import type { Outcome } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { outcomesOf } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import callbackStyle from '../desk/callback.module.css'

/** Whom the official is not to get: the same keys as after any conversation, but for «it took place». */
const CHOICES = outcomesOf({ talking_at: null })

/** What became of a citizen with whom an operator spoke first: saying it ends the call. */
export function Dismiss({ onSay, onBack }: { onSay: (outcome: Outcome) => void; onBack: () => void }) {
  const { text, format } = useLanguage()
  useKeys({ ...Object.fromEntries(CHOICES.map(([outcome, key]) => [key, () => onSay(outcome)])), Escape: onBack })
  return (
    <Paper className={callbackStyle.form} withBorder role="group" aria-label={text.dismiss.title}>
      <div role="status"><strong>{text.dismiss.title}</strong> {text.dismiss.help}</div>
      <div className={callbackStyle.choices}>
        {CHOICES.map(([outcome, key]) => (
          <Button
            key={outcome} variant="default" data-testid={`outcome-${outcome}`} aria-keyshortcuts={key} onClick={() => onSay(outcome)}
            rightSection={<Key>{format.digits(key)}</Key>}
          >
            {text.outcome[outcome]}
          </Button>
        ))}
        <Button variant="subtle" onClick={onBack} rightSection={<Key>Esc</Key>}>{text.dismiss.back}</Button>
      </div>
    </Paper>
  )
}
