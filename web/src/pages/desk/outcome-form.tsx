import { Button, Paper, Textarea } from '@mantine/core'
import { useRef, useState } from 'react'
import type { Callback, Outcome } from '../../api/calls'
import { useLanguage } from '../../language/language'
import { Key } from '../../ui/key'
import { useKeys } from '../../ui/use-keys'
import { draft, dropDraft, keepDraft } from './note-drafts'
import type { Desk } from './use-desk'
import style from './callback.module.css'

interface Choice {
  outcome: Outcome
  key: string
}

const AFTER_TALK: Choice[] = [
  { outcome: 'reached', key: '1' },
  { outcome: 'call_again', key: '2' },
  { outcome: 'refused', key: '3' },
  { outcome: 'wrong_number', key: '4' },
]
const BEFORE_CALL: Choice[] = [{ outcome: 'returned', key: 'R' }]

function choicesIn(state: Callback['state']): Choice[] {
  if (state === 'ended') return AFTER_TALK
  return state === 'claimed' ? BEFORE_CALL : []
}

/** The note, written at any time, and the outcome once it is due. */
export function OutcomeForm({ callback, desk }: { callback: Callback; desk: Desk }) {
  const { text, format } = useLanguage()
  const { id, state, registration } = callback
  const [note, setNote] = useState(() => draft(desk.id, id)?.note ?? callback.note)
  const [chosen, setChosen] = useState<Outcome | null>(null)
  const saveButton = useRef<HTMLButtonElement>(null)

  const choices = choicesIn(state)
  const due = choices.find((choice) => choice.outcome === chosen)?.outcome
  // A call that ended by itself has its outcome already; its note may still be written.
  const outcome = state === 'closed' && note !== callback.note ? callback.outcome : due

  function write(value: string) {
    setNote(value)
    keepDraft(desk.id, { callbackId: id, ticket: registration.ticket, note: value })
  }

  function choose(choice: Outcome) {
    setChosen(choice === chosen && state === 'claimed' ? null : choice)
    // After the button has appeared: Enter then saves.
    requestAnimationFrame(() => saveButton.current?.focus())
  }

  function save() {
    if (outcome) desk.save(outcome, note, () => dropDraft(desk.id, id))
  }

  useKeys(Object.fromEntries(choices.map(({ outcome: choice, key }) => [keyCode(key), () => choose(choice)])))

  const label = (choice: Outcome) => (choice === 'returned' ? text.returnToLine : text.outcome[choice])
  return (
    <Paper className={style.form} withBorder>
      {choices.length > 0 && (
        <div className={style.choices} role="group" aria-label={text.desk.chooseOutcome}>
          {choices.map(({ outcome: choice, key }) => (
            <Button
              key={choice} variant={choice === chosen ? 'filled' : 'default'} aria-pressed={choice === chosen}
              data-testid={`outcome-${choice}`} aria-keyshortcuts={key} onClick={() => choose(choice)}
              rightSection={<Key>{format.digits(key)}</Key>}
            >
              {label(choice)}
            </Button>
          ))}
        </div>
      )}
      <Textarea
        label={text.desk.note} placeholder={text.desk.notePlaceholder} value={note} data-testid="note"
        autosize minRows={3} maxRows={10} maxLength={2000} onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save()
        }}
      />
      {(state === 'ended' || outcome) && (
        <Button
          ref={saveButton} size="md" disabled={!outcome} loading={desk.pending === 'save'}
          onClick={save} data-testid="save-outcome" className={style.save}
        >
          {state === 'closed' ? text.desk.saveNote : text.desk.saveOutcome}
        </Button>
      )}
    </Paper>
  )
}

const keyCode = (key: string) => (/\d/.test(key) ? `Digit${key}` : `Key${key}`)
