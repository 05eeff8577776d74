import { Button } from '@mantine/core'
import type { Outcome } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { OUTCOME_KEYS } from '../ui/keys'
import { useKeys } from '../ui/use-keys'
import type { Serving } from './use-serving'
import style from './official.module.css'

const CHOICES = Object.entries(OUTCOME_KEYS) as [Outcome, string][]

/** What became of the conversation that has ended; nothing else said, it took place. */
export function OutcomeChoice({ serving: { say, outcome } }: { serving: Serving }) {
  const { text, format } = useLanguage()
  useKeys(Object.fromEntries(CHOICES.map(([choice, key]) => [key, say && (() => say(choice))])))
  return (
    <div className={style.outcomes} role="group" aria-label={text.desk.chooseOutcome}>
      {CHOICES.map(([choice, key]) => (
        <Button
          key={choice} size="md" classNames={{ root: style.outcome, label: style.outcomeLabel }} variant={choice === outcome ? 'filled' : 'default'} aria-pressed={choice === outcome}
          data-testid={`outcome-${choice}`} aria-keyshortcuts={key} onClick={() => say?.(choice)}
          rightSection={<Key>{format.digits(key)}</Key>}
        >
          {text.outcome[choice]}
        </Button>
      ))}
    </div>
  )
}
