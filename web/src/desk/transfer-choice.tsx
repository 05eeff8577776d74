import { Button, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { keys } from '../api/keys'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Loading } from '../ui/loading'
import { Sheet } from '../ui/sheet'
import { dropDraft } from './note-drafts'
import { consult, give, useTakersNow } from './queries'
import { useDraft } from './use-draft'
import style from './transfer.module.css'

/** Which desk goes on with the conversation, and what it is to know. */
export function TransferChoice({ callback, onClose }: { callback: Callback; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.transfer
  const queries = useQueryClient()
  const desk = callback.desk_id ?? 0
  const { draft: { note }, say } = useDraft(desk, callback)
  const { data, isPending, error } = useTakersNow(callback.id)
  const onSettled = () => queries.invalidateQueries({ queryKey: keys.me })
  const done = (now: Callback) => {
    queries.setQueryData(keys.callback(callback.id), now)
    onClose()
  }
  const asked = useMutation({
    mutationFn: (desk_id: number) => consult(callback.id, desk_id, note, callback.state === 'talking'),
    onSuccess: (now) => {
      say({ note: '' }) // it stands among the notes now
      done(now)
    },
    onSettled,
  })
  const given = useMutation({
    mutationFn: (desk_id: number) => give(callback.id, desk_id, note),
    onSuccess: (now) => {
      dropDraft(desk, callback.id)
      done(now)
    },
    onSettled,
  })
  const busy = asked.isPending || given.isPending
  const someHere = data?.some(({ here }) => here)
  return (
    <Sheet beside title={words.title} close={words.close} onClose={onClose}>
      <div className={style.form}>
        <Textarea
          label={words.note} value={note} autosize minRows={2} maxRows={6} maxLength={2000} data-testid="transfer-note"
          onChange={({ currentTarget: { value } }) => say({ note: value })}
          data-autofocus={data?.length ? undefined : true}
        />
        <ErrorNotice error={given.error ?? asked.error ?? error} />
        {isPending && <Loading />}
        {data?.length === 0 && <p data-testid="transfer-nobody">{words.nobody}</p>}
        <ul className={style.list}>
          {data?.map(({ desk_id, name, here }, place) => (
            <li key={desk_id} data-testid="taker" data-desk={desk_id}>
              <span>{words.desk(format.number(desk_id))} · <bdi>{name}</bdi></span>
              <div className={style.buttons}>
                {!someHere && <Button variant="default" disabled={busy} onClick={() => asked.mutate(desk_id)} data-testid="consult" data-autofocus={place === 0 || undefined}>{words.consult}</Button>}
                <Button variant={here ? 'filled' : 'default'} disabled={busy} onClick={() => given.mutate(desk_id)} data-testid="give" data-autofocus={here || undefined}>{words.give}</Button>
              </div>
            </li>
          ))}
        </ul>
        <p className={style.help}>{someHere ? words.hereHelp : words.help}</p>
      </div>
    </Sheet>
  )
}
