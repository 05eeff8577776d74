import { Button, Paper } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { usePasses } from '../passes/queries'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { ErrorNotice } from '../ui/error-notice'
import { Tag } from '../ui/tag'
import { isInWork } from './names'
import { type CityRequest, mergeRequest, type RequestDetail, separateRequest, useRequestAction } from './queries'
import { RequestRow } from './request-row'
import style from './requests.module.css'

/** What was found to be the same, and what may be. */
export function Duplicates({ detail, may }: { detail: RequestDetail; may: boolean }) {
  const { text, format } = useLanguage()
  const { request, duplicates, probable } = detail
  const words = text.requests
  // A part ends with its whole.
  const mayJoin = may && request.part_of_id === null
  const merge = useRequestAction((other: number) => mergeRequest(request.id, other))
  const separate = useRequestAction(() => separateRequest(request.id))
  // The links by which bodies outside the city work on it end with it: it is asked first.
  const { data: passes } = usePasses('requests', request.id)
  const bodies = passes?.filter(({ open }) => open).map(({ body }) => body)
  const [asked, setAsked] = useState<CityRequest | null>(null)
  return (
    <Paper withBorder component="section" className={style.card} aria-labelledby="probable-title" data-testid="duplicates">
      {duplicates.length > 0 && (
        <>
          <h2>{words.duplicates}</h2>
          <ul className={style.rows}>{duplicates.map((one) => <RequestRow key={one.id} request={one} />)}</ul>
        </>
      )}
      <h2 id="probable-title">{words.probable}</h2>
      <ErrorNotice error={merge.error ?? separate.error} />
      {probable.length === 0 && <p className={style.soft}>{words.noProbable}</p>}
      <ul className={style.plain}>
        {probable.map(({ request: other, same_number, likeness }) => (
          <li key={other.id} className={style.probable} data-testid="probable">
            <ul className={style.rows}><RequestRow request={other} /></ul>
            <span className={style.tags}>
              {same_number && <Tag tone="apart">{words.sameNumber}</Tag>}
              {likeness > 0 && <span className={style.soft}>{words.likeness(format.share(likeness))}</span>}
              {mayJoin && isInWork(request) && (
                <Button
                  size="compact-sm" variant="default" disabled={!bodies} loading={merge.isPending} data-testid="merge"
                  onClick={() => (bodies?.length ? setAsked(other) : merge.mutate(other.id))}
                  aria-label={`${words.merge} ${format.ticket(other.tracking)}`}
                >
                  {words.merge}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {mayJoin && request.state === 'duplicate' && (
        <Button variant="default" loading={separate.isPending} onClick={() => separate.mutate(undefined)} data-testid="separate">
          {words.separate}
        </Button>
      )}
      {asked && (
        <ConfirmDialog
          title={words.mergeTitle(format.ticket(asked.tracking))} help={text.passes.endsWith(bodies ?? [])} action={words.merge}
          act={() => mergeRequest(request.id, asked.id)} onClose={() => setAsked(null)}
        />
      )}
    </Paper>
  )
}
