import { useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Detail, Kept } from '../api/types'
import { shrunk } from '../kept/picture'
import { text } from '../language/language'
import { Field } from '../ui/field'
import { useSaying, useWords, type Heard } from './saying'

interface Props extends Heard {
  request: Detail
}

/** «Solved?»: yes, or no with a reason and perhaps a picture. */
export function Solved({ request: { tracking }, put, again }: Props) {
  const { words, write, forget } = useWords(`objection.${tracking}`)
  const { say, wrong, setWrong, busy } = useSaying(tracking, { put, again })
  const [open, setOpen] = useState(words !== '')
  const [file, setFile] = useState<File | null>(null)
  const object = (event: Event) => {
    event.preventDefault()
    const body = async () => ({ json: { reason: words, pictures: file ? [await handedIn(file)] : [] } })
    if (words.trim()) void say('object', body, forget)
    else setWrong(text.requests.whyMissing)
  }
  return (
    <section class="how" aria-labelledby="solved">
      <div>
        <h2 id="solved">{text.requests.asked}</h2>
        <div class="row">
          <button type="button" disabled={busy} onClick={() => void say('confirm', () => Promise.resolve({}), forget)}>{text.requests.solved}</button>
          <button type="button" class="quiet" disabled={busy} aria-expanded={open} onClick={() => setOpen(true)}>{text.requests.unsolved}</button>
        </div>
        {open ? (
          <form onSubmit={object}>
            <Field label={text.requests.why}>
              <textarea rows={3} maxLength={500} value={words} onInput={(event) => write(event.currentTarget.value)} />
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
    throw new Refusal(0, 'picture-broken')
  }
  return (await ask<Kept>('POST', '/pictures', { picture })).id
}
