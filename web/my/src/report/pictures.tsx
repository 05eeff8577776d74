import { useCallback, useEffect, useId, useState } from 'preact/hooks'
import { MOST_PICTURES } from '../kept/report'
import { addPicture, picturesOf, store, type Picture } from '../kept/store'
import { shrunk } from '../kept/picture'
import { useLive } from '../kept/use-live'
import { digits } from '../language/format'
import { text } from '../language/language'
import { Wrong } from '../ui/field'
import { Icon } from '../ui/icon'
import { camera, photo } from './icons'

interface Props {
  of: string
  /** Called before a picture is kept: what it belongs to must be there. */
  begin: () => Promise<void>
  /** What the report waits for before it is finished. */
  making: (work: Promise<void>) => void
  wrong?: string
  /** Called when a picture has come or gone. */
  changed?: () => void
}

/** Photographs, made small on the phone and kept with the report. */
export function Pictures({ of, begin, making, wrong = '', changed = () => undefined }: Props) {
  const id = useId()
  const pictures = useLive(useCallback(() => picturesOf(of), [of])) ?? []
  const [told, setTold] = useState('')
  const add = async (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])]
    input.value = ''
    setTold(text.report.shrinking)
    let wrong = ''
    for (const file of files) wrong = (await one(file)) || wrong
    setTold(wrong)
  }
  const one = async (file: File): Promise<string> => {
    let data: ArrayBuffer
    try {
      data = await shrunk(file)
    } catch {
      return text.report.unreadable
    }
    try {
      await begin()
      await addPicture(of, data)
      changed()
      return ''
    } catch {
      return text.report.noRoom
    }
  }
  return (
    <fieldset aria-describedby={wrong ? id : undefined}>
      <legend>{text.report.pictures}</legend>
      <p class="soft">{text.report.picturesLead}</p>
      <ul class="pictures">
        {pictures.map((picture, index) => <Shown key={picture.id} picture={picture} place={digits(index + 1)} changed={changed} />)}
      </ul>
      {pictures.length < MOST_PICTURES ? (
        <div class="row">
          <label class="pick"><Icon of={camera} />{text.report.camera}
            <input type="file" accept="image/*" capture="environment" onChange={(event) => making(add(event.currentTarget))} />
          </label>
          <label class="pick"><Icon of={photo} />{text.report.choose}
            <input type="file" accept="image/*" multiple data-testid="choose" onChange={(event) => making(add(event.currentTarget))} />
          </label>
        </div>
      ) : null}
      <p role="status">{told}</p>
      <Wrong id={id}>{wrong}</Wrong>
    </fieldset>
  )
}

function Shown({ picture, place, changed }: { picture: Picture; place: string; changed: () => void }) {
  const [url] = useState(() => URL.createObjectURL(new Blob([picture.data], { type: 'image/jpeg' })))
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  return (
    <li data-testid="picture">
      <img src={url} alt={text.report.picture(place)} />
      <button type="button" class="quiet" aria-label={text.report.remove(place)} onClick={() => void store.pictures.delete(picture.id ?? 0).then(changed)}>×</button>
    </li>
  )
}
