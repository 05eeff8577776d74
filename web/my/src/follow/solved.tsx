import { useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Detail, Kept } from '../api/types'
import { shrunk } from '../kept/picture'
import { problemText, text } from '../language/language'
import { Field } from '../ui/field'

interface Props {
  request: Detail
  put: (said: Detail) => void
  again: () => void
}

/** «Solved?»: yes, or no with a reason and perhaps a picture. What is written stays until it has arrived. */
export function Solved({ request: { tracking }, put, again }: Props) {
  const draft = `hotline137.my.objection.${tracking}`
  const [reason, setReason] = useState(() => localStorage.getItem(draft) ?? '')
  const [open, setOpen] = useState(reason !== '')
  const [file, setFile] = useState<File | null>(null)
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const say = async (what: 'confirm' | 'object', body: () => Promise<{ json: unknown } | Record<string, never>>) => {
    setBusy(true)
    setWrong('')
    try {
      put(await ask<Detail>('POST', `/requests/${tracking}/${what}`, await body()))
      localStorage.removeItem(draft)
    } catch (failed) {
      const code = failed instanceof Refusal ? failed.code : 'away'
      setWrong(code === 'unknown' ? text.report.unreadable : problemText(code))
      setBusy(false)
      // It may have been heard all the same: what is true now is shown.
      if (code === 'away' || code === 'wrong-state') again()
    }
  }
  const type = (typed: string) => {
    setReason(typed)
    localStorage.setItem(draft, typed)
  }
  const object = (event: Event) => {
    event.preventDefault()
    if (!reason.trim()) {
      setWrong(text.requests.whyMissing)
      return
    }
    void say('object', async () => ({ json: { reason, pictures: file ? [await handedIn(file)] : [] } }))
  }
  return (
    <section class="how" aria-labelledby="solved">
      <div>
        <h2 id="solved">{text.requests.asked}</h2>
        <div class="row">
          <button type="button" disabled={busy} onClick={() => void say('confirm', () => Promise.resolve({}))}>{text.requests.solved}</button>
          <button type="button" class="quiet" disabled={busy} aria-expanded={open} onClick={() => setOpen(true)}>{text.requests.unsolved}</button>
        </div>
        {open ? (
          <form onSubmit={object}>
            <Field label={text.requests.why}>
              <textarea rows={3} maxLength={500} value={reason} onInput={(event) => type(event.currentTarget.value)} />
            </Field>
            <Field label={text.report.pictures}>
              <input type="file" accept="image/*" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
            </Field>
            <button disabled={busy}>{text.requests.object}</button>
          </form>
        ) : null}
        <p class="wrong" role="alert">{wrong}</p>
      </div>
    </section>
  )
}

async function handedIn(file: File): Promise<string> {
  let picture: ArrayBuffer
  try {
    picture = await shrunk(file)
  } catch {
    throw new Refusal(0, 'unknown')
  }
  return (await ask<Kept>('POST', '/pictures', { picture })).id
}
