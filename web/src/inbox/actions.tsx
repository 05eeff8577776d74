import { Button, Group, Paper } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { isWithUs } from './names'
import { accept, answer, ask, giveBack, type InboxDetail, useInboxAction } from './queries'
import { SolveForm } from './solve-form'
import { SplitForm } from './split-form'
import { WordsForm } from './words-form'
import style from '../requests/requests.module.css'

type Action = 'solve' | 'tell' | 'ask' | 'split' | 'giveBack'
const ACTIONS: Action[] = ['solve', 'tell', 'ask', 'split', 'giveBack']

/** What a department does with a request: accept it first, and then one thing at a time. */
export function Actions({ detail }: { detail: InboxDetail }) {
  const { text } = useLanguage()
  const words = text.inbox
  const { request, question } = detail
  const [, go] = useLocation()
  const [chosen, setChosen] = useState<Action | null>(null)
  const accepting = useInboxAction(() => accept(request.id))
  if (!isWithUs(request)) return request.state === 'replied' && <p className={style.soft} data-testid="waiting">{words.waiting}</p>
  const done = () => setChosen(null)
  return (
    <Paper withBorder component="section" className={style.card} data-testid="actions" aria-label={words.act}>
      {question && <p className={style.soft} data-testid="question">{words.question(question)}</p>}
      <Group gap={8} role="group">
        {request.state === 'referred' && (
          <Button loading={accepting.isPending} onClick={() => accepting.mutate(undefined)} data-testid="accept">{words.accept}</Button>
        )}
        {ACTIONS.filter((action) => action !== 'split' || request.part_of === null).map((action) => (
          <Button
            key={action} variant={action === chosen ? 'light' : 'default'} aria-pressed={action === chosen} data-testid={`to-${action}`}
            onClick={() => setChosen(action)}
          >
            {words[action]}
          </Button>
        ))}
      </Group>
      <ErrorNotice error={accepting.error} />
      {chosen === 'solve' && <SolveForm request={request} onDone={done} />}
      {chosen === 'tell' && (
        <WordsForm
          key="tell" label={words.tellLabel} help={words.tellHelp} action={words.sendTell} field="reason" longest={500} ready={request} onDone={done}
          act={(reply) => answer(request.id, { reply, solved: false, pictures: [] })}
        />
      )}
      {chosen === 'ask' && (detail.reachable
        ? (
          <WordsForm
            key="ask" label={words.askLabel} help={words.askHelp} action={words.sendAsk} field="question" longest={110} onDone={done}
            act={(said) => ask(request.id, said)}
          />
        )
        : <p className={style.soft} data-testid="unreachable">{words.unreachable}</p>)}
      {chosen === 'split' && <SplitForm request={request} />}
      {chosen === 'giveBack' && (
        <WordsForm
          key="giveBack" label={words.giveBackLabel} help={words.giveBackHelp} action={words.giveBack} field="reason" longest={2000}
          onDone={() => go('/inbox')} act={(note) => giveBack(request.id, note)}
        />
      )}
    </Paper>
  )
}
