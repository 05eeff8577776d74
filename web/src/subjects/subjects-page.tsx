import { Button, Paper, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type Subject, useSubjects } from '../api/city'
import { planningKey } from '../api/keys'
import { mayConduct, mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { useFields } from '../ui/use-fields'
import { useTitle } from '../ui/use-title'
import { useUndo } from '../ui/use-undo'
import { DeskWords } from './desk-words'
import { changeSubject } from './queries'
import cards from '../ui/cards.module.css'
import style from './subjects.module.css'

/** The city's nine subjects: their names, what callers hear of them, and whether they do. */
export default function SubjectsPage({ me }: { me: Me }) {
  const { text } = useLanguage()
  useTitle(text.subjects.title)
  const { data, error } = useSubjects()
  const { offer, undo } = useUndo()
  return (
    <div>
      {undo}
      <Header me={me} page="subjects">{null}</Header>
      <main className={cards.list}>
        <p className={cards.more}>{text.subjects.help}</p>
        <ErrorNotice error={error} />
        {!data && !error && <Loading />}
        {data?.map((subject) => (
          // What was saved elsewhere is shown; what somebody writes here stays while it is not.
          <Item key={`${subject.id} ${subject.name_fa} ${subject.name_en}`} subject={subject} may={mayPlan(me.role)} />
        ))}
        {(data ?? error) && <DeskWords may={mayConduct(me.role)} offer={offer} />}
      </main>
    </div>
  )
}

function Item({ subject, may }: { subject: Subject; may: boolean }) {
  const { code, text, format } = useLanguage()
  const words = text.subjects
  const queries = useQueryClient()
  const [fa, setFa] = useState(subject.name_fa)
  const [en, setEn] = useState(subject.name_en)
  const save = useMutation({
    mutationFn: (change: Parameters<typeof changeSubject>[1]) => changeSubject(subject.id, change),
    onSuccess: () => queries.invalidateQueries({ queryKey: planningKey }),
  })
  const { missing } = text.fields
  const { at, rest, send } = useFields({ name_fa: !fa.trim() && missing, name_en: !en.trim() && missing, offered: null }, save.error)
  const changed = fa.trim() !== subject.name_fa || en.trim() !== subject.name_en
  return (
    <Paper withBorder component="section" aria-label={words.key(format.number(subject.id))} className={style.item} data-testid="subject" data-id={subject.id}>
      <span className={style.key} aria-hidden>{format.number(subject.id)}</span>
      <TextInput
        {...at('name_fa')} label={words.fa} value={fa} maxLength={100} readOnly={!may} lang="fa" dir="rtl" data-testid="name-fa"
        onChange={(event) => setFa(event.currentTarget.value)}
      />
      <TextInput
        {...at('name_en')} label={words.en} value={en} maxLength={100} readOnly={!may} lang="en" dir="ltr" classNames={{ input: style.english }} data-testid="name-en"
        onChange={(event) => setEn(event.currentTarget.value)}
      />
      {may && (
        <Button
          disabled={!changed} loading={save.isPending} data-testid="save-subject"
          onClick={() => send(() => save.mutate({ name_fa: fa.trim(), name_en: en.trim() }))}
        >
          {words.save}
        </Button>
      )}
      <span className={style.heard}>{words.heard} {subject.spoken[code]}</span>
      <Switch
        {...at('offered')} label={words.offered} checked={subject.offered} disabled={!may || save.isPending} data-testid="offered"
        onChange={(event) => save.mutate({ offered: event.currentTarget.checked })}
      />
      <ErrorNotice error={rest} />
    </Paper>
  )
}
