import { Button, Paper, Textarea } from '@mantine/core'
import { useRef } from 'react'
import { flushSync } from 'react-dom'
import { useRounds } from '../api/rounds'
import type { Callback, Outcome } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { KEY, outcomesOf } from '../shortcuts/keys'
import { Notes } from '../callbacks/notes'
import { useDeskWords } from '../desks/use-desk-words'
import { useKeys } from '../ui/use-keys'
import { CallLaterChoice } from './call-later-choice'
import { draftOf, dropDraft, withLine } from './note-drafts'
import { useCalledAgain, wishOf } from './use-called-again'
import type { Desk } from './use-desk'
import { useDraft } from './use-draft'
import style from './callback.module.css'

const BEFORE_CALL: [Outcome, string][] = [['returned', KEY.returned]]

const isDue = (state: Callback['state']) => state === 'ended' || state === 'parting'

function choicesIn(callback: Callback): [Outcome, string][] {
  if (isDue(callback.state)) return outcomesOf(callback)
  return callback.state === 'claimed' ? BEFORE_CALL : []
}

/** The note, written at any time, and the outcome once it is due. */
export function OutcomeForm({ callback, desk }: { callback: Callback; desk: Desk }) {
  const { text, format } = useLanguage()
  const { id, state } = callback
  const { data: rounds = [] } = useRounds()
  const round = rounds.find((one) => one.id === callback.round_id)
  const { draft, say } = useDraft(desk.id, callback)
  const { note, callLater = { way: 'soon' } } = draft
  const saveButton = useRef<HTMLButtonElement>(null)
  const noteField = useRef<HTMLTextAreaElement>(null)

  const choices = choicesIn(callback)
  const due = choices.find(([choice]) => choice === draft.outcome)?.[0]
  const foreseen = useCalledAgain(id, callLater, round, due === 'call_again')
  // A call that ended by itself has its outcome already; its note may still be written.
  const outcome = state === 'closed' && note.trim() ? callback.outcome : due

  const saves = isDue(state) && due !== undefined

  function choose(choice: Outcome) {
    // The button has appeared when the key is done with: Enter then saves, however soon it comes.
    flushSync(() => say({ outcome: choice === draft.outcome && state === 'claimed' ? null : choice, callLater: { way: 'soon' } }))
    saveButton.current?.focus()
  }

  function save() {
    // What the page shows is what is promised, not a moment later.
    const wish = due === 'call_again' ? (foreseen.data?.wish ?? wishOf(callLater, round)) : undefined
    if (outcome) desk.save(outcome, note, wish, () => saved(note))
  }

  /** It stands among the notes now; what was typed while it was sent stays. */
  function saved(sent: string) {
    if ((draftOf(desk.id, id)?.note ?? sent) === sent) dropDraft(desk.id, id)
  }

  useKeys({
    ...Object.fromEntries(choices.map(([choice, key]) => [key, () => choose(choice)])),
    [KEY.note]: () => noteField.current?.focus(),
    // Also while the round pauses: only the next citizen waits for it to go on.
    [KEY.takeNext]: saves ? save : undefined,
  })

  const label = (choice: Outcome) => (choice === 'returned' ? text.returnToLine : text.outcome[choice])
  return (
    <Paper className={style.form} withBorder>
      {choices.length > 0 && (
        <div className={style.choices} role="group" aria-label={text.desk.chooseOutcome}>
          {choices.map(([choice, key]) => (
            <Button
              key={choice} classNames={{ root: style.choice, label: style.choiceLabel }} variant={choice === due ? 'filled' : 'default'} aria-pressed={choice === due}
              data-testid={`outcome-${choice}`} aria-keyshortcuts={key} onClick={() => choose(choice)}
              rightSection={<Key>{format.digits(key)}</Key>}
            >
              {label(choice)}
            </Button>
          ))}
        </div>
      )}
      {due === 'call_again' && (
        <CallLaterChoice callLater={callLater} round={round} foreseen={foreseen} onChoose={(wish) => say({ callLater: wish })} />
      )}
      <Notes notes={callback.notes} />
      <Textarea
        ref={noteField} label={<>{text.desk.note} <Key>{KEY.note}</Key></>} placeholder={text.desk.notePlaceholder} value={note} data-testid="note"
        autosize minRows={3} maxRows={10} maxLength={2000} onChange={(event) => say({ note: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save()
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <ReadyNotes onChoose={(one) => say({ note: withLine(note, one) })} />
      {(isDue(state) || outcome) && (
        <Button
          ref={saveButton} size="md" disabled={!outcome} loading={desk.pending === 'save'}
          onClick={save} data-testid="save-outcome" className={style.save} aria-keyshortcuts={saves ? KEY.takeNext : undefined}
          rightSection={saves && <Key>{KEY.takeNext}</Key>}
        >
          {state === 'closed' ? text.desk.saveNote : text.desk.saveOutcome}
        </Button>
      )}
    </Paper>
  )
}

/** What is often written, to be added by one press. */
function ReadyNotes({ onChoose }: { onChoose: (note: string) => void }) {
  const { code, text } = useLanguage()
  const { data } = useDeskWords()
  return (
    <div className={style.ready} role="group" aria-label={text.readyNotes.title}>
      {data?.ready_notes.map(({ [code]: one }) => (
        <Button key={one} variant="default" size="compact-sm" onClick={() => onChoose(one)} data-testid="ready-note">{one}</Button>
      ))}
    </div>
  )
}
