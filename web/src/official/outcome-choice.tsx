import { Button } from '@mantine/core'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { outcomesOf } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import type { Serving } from './use-serving'
import style from './official.module.css'

/** What became of the conversation that has ended; nothing else said, it took place. */
export function OutcomeChoice({ serving: { callback, say, outcome } }: { serving: Serving }) {
  const { text, format } = useLanguage()
  const choices = callback ? outcomesOf(callback) : []
  useKeys(Object.fromEntries(choices.map(([choice, key]) => [key, say && (() => say(choice))])))
  return (
    <div className={style.outcomes} role="group" aria-label={text.desk.chooseOutcome}>
      {choices.map(([choice, key]) => (
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
