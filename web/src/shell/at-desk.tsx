import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { body, client } from '../api/client'
import { keys } from '../api/keys'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Notes } from '../callbacks/notes'
import { Notice } from '../ui/notice'
import { Num } from '../ui/number'
import { useSubject } from '../subjects/use-subject'
import style from './at-desk.module.css'

const confirm = (message_id: number) =>
  body(client.POST('/api/v1/desk/messages/{message_id}/read', { params: { path: { message_id } } }))

const leave = () => body(client.DELETE('/api/v1/desk/hears'))

/** What whoever sits at this desk has to know on any page: who hears the conversation, whose they are in, and what a supervisor says. */
export default function AtDesk({ me }: { me: Me }) {
  const { text, format } = useLanguage()
  const queries = useQueryClient()
  const words = text.shell
  const read = useMutation({ mutationFn: confirm, onSettled: () => queries.invalidateQueries({ queryKey: keys.me }) })
  const out = useMutation({ mutationFn: leave, onSettled: () => queries.invalidateQueries({ queryKey: keys.me }) })
  const waits = me.callback?.on_hold_at != null
  const subject = useSubject()
  const consulted = me.consulted_in
  return (
    <div className={style.all}>
      {consulted !== null && (
        <Notice tone="plain" data-testid="consulted">
          <div className={style.word}>
            <span role="status">
              {words.consulted(format.number(consulted.desk_id))} {consulted.waits ? words.citizenWaits : words.citizenHears}
            </span>
            <Button variant="default" disabled={out.isPending} onClick={() => out.mutate()} data-testid="leave-desk">{words.leaveDesk}</Button>
          </div>
          <p data-testid="consulted-about">{text.line.ticket} <Num>{format.ticket(consulted.ticket)}</Num> · {subject(consulted.subject)}</p>
          <Notes notes={consulted.notes} />
        </Notice>
      )}
      {me.heard_by.map(({ how, name }, place) => (
        <Notice key={place} tone="plain" data-testid="heard-by">
          <span role="status">{how === 'listen' ? words.heard.listen() : words.heard[how !== 'whisper' && waits ? 'alone' : how](name ?? '')}</span>
        </Notice>
      ))}
      {me.words.map((word) => (
        <Notice key={word.id} tone="warning" role="alert" data-testid="desk-word">
          <div className={style.word}>
            <span>
              <b>{words.wordOf(word.name, format.time(word.sent_at))}</b> {word.text}
            </span>
            <Button variant="default" disabled={read.isPending} onClick={() => read.mutate(word.id)} data-testid="word-read">{words.haveRead}</Button>
          </div>
        </Notice>
      ))}
      <ErrorNotice error={read.error ?? out.error} />
    </div>
  )
}
