import { Button, Checkbox, Group, Paper } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { isInWork, WITH_DEPARTMENT } from './names'
import { answerRequest, type CityRequest, rejectRequest, type RequestDetail, returnRequest, sayToQuestion, useRequestAction } from './queries'
import { ReferForm } from './refer-form'
import { ReplyForm } from './reply-form'
import { SayForm } from './say-form'
import { SplitForm } from './split-form'
import style from './requests.module.css'

type Action = 'refer' | 'reply' | 'said' | 'return' | 'split' | 'reject'

/** What the office does with a request: one thing at a time, the likely one first. */
export function Actions({ detail: { request, question, parts, language } }: { detail: RequestDetail }) {
  const { text } = useLanguage()
  const words = text.requests
  const referred = WITH_DEPARTMENT.includes(request.state)
  const [chosen, setChosen] = useState<Action | null>(referred ? 'reply' : 'refer')
  if (request.state === 'replied') return request.part_of_id === null && <CitizensAnswer request={request} parts={parts} />
  if (!isInWork(request)) return null
  const names: [Action, string][] = [
    ['refer', referred ? words.referAgain : words.refer], ['reply', words.reply],
    ...(question ? [['said', words.said] as [Action, string]] : []),
    ...(referred ? [['return', words.giveBack] as [Action, string]] : []),
    ...(request.part_of_id === null ? [['split', words.split] as [Action, string]] : []), ['reject', words.reject],
  ]
  const done = () => setChosen(null)
  return (
    <Paper withBorder component="section" className={style.card} data-testid="actions">
      <Group gap={8} role="group">
        {names.map(([action, name]) => (
          <Button
            key={action} variant={action === chosen ? 'light' : 'default'} aria-pressed={action === chosen} data-testid={`to-${action}`}
            onClick={() => setChosen(action)}
          >
            {name}
          </Button>
        ))}
      </Group>
      {chosen === 'refer' && <ReferForm request={request} onDone={done} />}
      {chosen === 'reply' && <ReplyForm request={request} language={language} onDone={done} />}
      {chosen === 'said' && (
        <SayForm
          key="said" label={words.saidLabel} help={words.question(question)} action={words.save} longest={1000} onDone={done}
          act={(answer) => sayToQuestion(request.id, answer)}
        />
      )}
      {chosen === 'return' && (
        <SayForm
          key="return" label={words.giveBackLabel} action={words.giveBack} longest={2000} onDone={done}
          act={(note) => returnRequest(request.id, note)}
        />
      )}
      {chosen === 'split' && <SplitForm request={request} onDone={done} />}
      {chosen === 'reject' && (
        <SayForm
          key="reject" label={words.rejectLabel} help={words.replyHelp} action={words.reject} longest={500} color="brick" onDone={done}
          act={(reason) => rejectRequest(request.id, reason)}
        />
      )}
    </Paper>
  )
}

/** The citizen has told the office, not the telephone's menu; of which parts it is not solved, if they say. */
function CitizensAnswer({ request, parts }: { request: CityRequest; parts: CityRequest[] }) {
  const { text, format } = useLanguage()
  const [named, setNamed] = useState<number[]>([])
  const answer = useRequestAction((solved: boolean) => answerRequest(request.id, solved, solved ? [] : named))
  const solved = parts.filter(({ state }) => state === 'replied')
  return (
    <Paper withBorder component="section" className={style.card} data-testid="citizens-answer">
      <p className={style.plainLine}>{text.requests.citizenSays}</p>
      {solved.length > 1 && (
        <Checkbox.Group label={text.requests.notSolvedParts} value={named.map(String)} onChange={(chosen) => setNamed(chosen.map(Number))}>
          {solved.map(({ id, tracking, written }) => <Checkbox key={id} value={String(id)} label={`${format.ticket(tracking)} ${written}`} data-testid="named-part" mt={4} />)}
        </Checkbox.Group>
      )}
      <ErrorNotice error={answer.error} />
      <Group>
        <Button disabled={answer.isPending} onClick={() => answer.mutate(true)} data-testid="is-solved">{text.requests.isSolved}</Button>
        <Button variant="default" disabled={answer.isPending} onClick={() => answer.mutate(false)} data-testid="is-not-solved">
          {text.requests.isNotSolved}
        </Button>
      </Group>
    </Paper>
  )
}
