import { useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Place, Round } from '../api/types'
import { language, problemText, text } from '../language/language'

/** Does something once; what may be done all the same is looked at. */
export function useAct(changed: () => void) {
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const act = async (asked: () => Promise<unknown>) => {
    setBusy(true)
    setWrong('')
    try {
      await asked()
    } catch (failed) {
      setWrong(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
    changed()
    setBusy(false)
  }
  return { act, wrong, busy }
}

/** Take a place in this round: the code was the yes to the number already. */
export function Register({ round, changed }: { round: Round; changed: () => void }) {
  const { act, wrong, busy } = useAct(changed)
  const take = () => ask('POST', '/places', { json: { round_id: round.id, language } })
  return (
    <>
      <button type="button" disabled={busy} onClick={() => void act(take)} data-testid="take-place">{text.rounds.take}</button>
      <p class="wrong" role="alert">{wrong}</p>
    </>
  )
}

/** Give my place up, by a second press: it goes to whoever comes after. */
export function GiveUp({ place: { ticket }, changed }: { place: Place; changed: () => void }) {
  const { act, wrong, busy } = useAct(changed)
  const [sure, setSure] = useState(false)
  if (!sure) return <button type="button" class="quiet" onClick={() => setSure(true)}>{text.rounds.giveUp}</button>
  return (
    <div role="group" aria-label={text.rounds.giveUp}>
      <p>{text.rounds.giveUpSure}</p>
      <div class="row">
        <button type="button" disabled={busy} onClick={() => void act(() => ask('DELETE', `/places/${ticket}`))}>{text.rounds.giveUpYes}</button>
        <button type="button" class="quiet" onClick={() => setSure(false)}>{text.rounds.keep}</button>
      </div>
      <p class="wrong" role="alert">{wrong}</p>
    </div>
  )
}
