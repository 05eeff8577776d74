import { Button, Checkbox, Group, Paper, Textarea } from '@mantine/core'
import { useIsFetching } from '@tanstack/react-query'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { HideAreas } from './hide-areas'
import { HIDDEN_PICTURES, type Release, type RequestDetail, releaseRequest, requestPictureUrl, useRelease, useReleaseAction, withdrawRequest } from './queries'
import style from './requests.module.css'

/** What everybody sees of a request: nothing, until a person writes it and chooses the pictures. */
export function ReleaseCard({ detail }: { detail: RequestDetail }) {
  const { text, format } = useLanguage()
  const words = text.release
  const { request } = detail
  const { data: released } = useRelease(request.id)
  const [open, setOpen] = useState(false)
  const withdraw = useReleaseAction(request.id, () => withdrawRequest(request.id))
  if (released === undefined || request.state === 'duplicate') return null
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="release-title" data-testid="release" data-state={released ? 'public' : 'hidden'}>
      <h2 id="release-title">{words.title}</h2>
      {released ? (
        <>
          <p className={style.said} dir="auto">{released.text}</p>
          <p className={style.soft}>
            {words.isPublic(format.number(released.pictures.length), released.with_point)} {words.by(released.who, format.longDate(released.at))}
          </p>
        </>
      ) : <p className={style.soft}>{words.hidden}</p>}
      <ErrorNotice error={withdraw.error} />
      {open
        ? <ReleaseForm detail={detail} released={released} onDone={() => setOpen(false)} />
        : (
          <Group>
            <Button variant="default" onClick={() => setOpen(true)} data-testid="to-release">{released ? words.change : words.release}</Button>
            {released && (
              <Button variant="light" color="brick" loading={withdraw.isPending} onClick={() => withdraw.mutate(undefined)} data-testid="withdraw">
                {words.withdraw}
              </Button>
            )}
          </Group>
        )}
    </Paper>
  )
}

function ReleaseForm({ detail, released, onDone }: { detail: RequestDetail; released: Release | null; onDone: () => void }) {
  const { text, format } = useLanguage()
  const words = text.release
  const { request, pictures, place } = detail
  const [written, setWritten] = useState(released?.text ?? '')
  const [shown, setShown] = useState(released?.pictures ?? [])
  const [withPoint, setWithPoint] = useState(released?.with_point ?? false)
  const release = useReleaseAction(request.id, () => releaseRequest(request.id, { text: written.trim(), pictures: shown, with_point: withPoint }), onDone)
  // Nothing is released that was not shown as everybody will see it.
  const awaited = useIsFetching({ queryKey: HIDDEN_PICTURES })
  const { at, rest, send } = useFields({ text: !written.trim() && text.fields.missing }, release.error)
  return (
    <div className={style.form} data-testid="release-form">
      <Textarea
        {...at('text')} label={words.text} description={words.textHelp} value={written} maxLength={500} autosize minRows={2} data-testid="release-text"
        onChange={(event) => setWritten(event.currentTarget.value)}
      />
      {pictures.length > 0 && (
        <fieldset className={style.choices}>
          <legend>{words.pictures}</legend>
          <p className={style.soft}>{words.picturesHelp}</p>
          {pictures.map((picture, index) => (
            <div key={picture.id} className={style.choice}>
              <Checkbox
                checked={shown.some((each) => each.id === picture.id)} data-testid="release-picture"
                label={<>
                  <img src={requestPictureUrl(request.id, picture.id)} width={96} height={72} alt="" />{' '}
                  {text.requests.picture(text.requests.pictureKinds[picture.kind], format.number(index + 1))}
                </>}
                onChange={(event) => {
                  const { checked } = event.currentTarget
                  setShown((before) => (checked ? [...before, { id: picture.id, hidden: [] }] : before.filter(({ id }) => id !== picture.id)))
                }}
              />
              {shown.filter(({ id }) => id === picture.id).map(({ hidden }) => (
                <HideAreas
                  key={picture.id} request={request.id} picture={picture} areas={hidden}
                  onChange={(areas) => setShown((before) => before.map((each) => (each.id === picture.id ? { ...each, hidden: areas } : each)))}
                />
              ))}
            </div>
          ))}
        </fieldset>
      )}
      {place?.latitude != null && (
        <Checkbox label={words.point} checked={withPoint} data-testid="release-point" onChange={(event) => setWithPoint(event.currentTarget.checked)} />
      )}
      <ErrorNotice error={rest} />
      <Group>
        <Button loading={release.isPending} disabled={awaited > 0} onClick={() => send(() => release.mutate(undefined))} data-testid="release-save">{words.save}</Button>
        <Button variant="default" onClick={onDone}>{words.cancel}</Button>
      </Group>
    </div>
  )
}
