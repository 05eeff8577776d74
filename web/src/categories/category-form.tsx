import { Button, NativeSelect, Stack, Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CATEGORY_ICONS } from '../../shared/icons/categories'
import { type Category, useCategories } from '../api/city'
import { planningKey } from '../api/keys'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { Sheet } from '../ui/sheet'
import { type At, useFields } from '../ui/use-fields'
import { arePairs, type Draft, draftOf, isTime, toCategory } from './draft'
import { addCategory, changeCategory, type Unit } from './queries'
import { ResponsibleFields } from './responsible-fields'
import style from './categories.module.css'

const KEYS = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const CODE = /^[a-z][a-z0-9-]{1,39}$/

/** Adds a category, or changes everything of one but its code. */
export function CategoryForm({ category, onClose }: { category: Category | null; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.categories
  const queries = useQueryClient()
  const { data: saved = [] } = useCategories()
  const [begunWith, setBegunWith] = useState(category)
  const [draft, setDraft] = useState(() => draftOf(category))
  const say = (change: Partial<Draft>) => setDraft({ ...draft, ...change })
  const save = useMutation({
    mutationFn: () => (category ? changeCategory(category.id, toCategory(draft)) : addCategory(toCategory(draft))),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: planningKey })
      onClose()
    },
  })
  const theirs = saved.find(({ id }) => id === begunWith?.id)
  const overtaken = !save.isPending && theirs !== undefined && JSON.stringify(theirs) !== JSON.stringify(begunWith)
  const takeTheirs = (one: Category) => {
    setBegunWith(one)
    setDraft(draftOf(one))
  }
  const { missing } = text.fields
  const { at, rest, send } = useFields({
    code: !CODE.test(draft.code) && words.codeHelp, name_fa: !draft.name_fa.trim() && missing, name_en: !draft.name_en.trim() && missing,
    key: null, answer: !isTime(draft.answer) && words.badTime[draft.answer.unit], solve: !isTime(draft.solve) && words.badTime[draft.solve.unit], evidence: null,
    questions: !arePairs(draft.questions) && words.notPairs, departments: null,
  }, save.error)
  return (
    <Sheet title={category ? words.change : words.add} close={text.requests.keep} onClose={onClose}>
      <Stack gap={14} data-testid="category-form">
        {!category && (
          <TextInput {...at('code')} label={words.code} description={words.codeHelp} value={draft.code} dir="ltr" maxLength={40} data-testid="code" onChange={(event) => say({ code: event.currentTarget.value })} />
        )}
        <div className={style.pair}>
          <TextInput {...at('name_fa')} label={words.nameFa} value={draft.name_fa} lang="fa" dir="rtl" maxLength={100} data-autofocus data-testid="name-fa" onChange={(event) => say({ name_fa: event.currentTarget.value })} />
          <TextInput {...at('name_en')} label={words.nameEn} value={draft.name_en} lang="en" dir="ltr" maxLength={100} data-testid="name-en" onChange={(event) => say({ name_en: event.currentTarget.value })} />
        </div>
        <div className={style.pair}>
          <NativeSelect
            label={words.icon} value={draft.icon} data={Object.keys(CATEGORY_ICONS).map((value) => ({ value, label: words.icons[value as keyof typeof words.icons] }))} data-testid="icon"
            onChange={(event) => say({ icon: event.currentTarget.value })}
          />
          <NativeSelect
            {...at('key')} label={words.onTelephone} value={draft.key} data-testid="key"
            data={[{ value: '', label: words.noKey }, ...KEYS.map((key) => ({ value: String(key), label: words.key(format.number(key)) }))]}
            onChange={(event) => say({ key: event.currentTarget.value })}
          />
        </div>
        <Time label={words.answer} field="answer" value={draft.answer} at={at} onChange={(answer) => say({ answer })} />
        <Time label={words.solve} field="solve" value={draft.solve} at={at} onChange={(solve) => say({ solve })} />
        <NativeSelect
          {...at('evidence')} label={words.evidence} description={words.evidenceHelp} value={draft.evidence} data-testid="evidence"
          data={(['none', 'text', 'picture'] as const).map((value) => ({ value, label: words.evidences[value] }))}
          onChange={(event) => say({ evidence: event.currentTarget.value as Category['evidence'] })}
        />
        <ResponsibleFields value={draft.departments} at={at} onChange={(departments) => say({ departments })} />
        <Textarea {...at('questions')} label={words.questionsFa} description={words.questionsHelp} value={draft.questions.fa} lang="fa" dir="rtl" autosize minRows={2} data-testid="questions-fa" onChange={(event) => say({ questions: { ...draft.questions, fa: event.currentTarget.value } })} />
        <Textarea label={words.questionsEn} value={draft.questions.en} lang="en" dir="ltr" autosize minRows={2} data-testid="questions-en" onChange={(event) => say({ questions: { ...draft.questions, en: event.currentTarget.value } })} />
        <Switch label={words.urgent} checked={draft.urgent} data-testid="urgent" onChange={(event) => say({ urgent: event.currentTarget.checked })} />
        <Switch label={words.active} checked={draft.active} data-testid="active" onChange={(event) => say({ active: event.currentTarget.checked })} />
        <ErrorNotice error={rest} />
        <div role="status" className="live">
          {overtaken && (
            <Notice tone="warning" data-testid="category-overtaken">
              {words.overtaken} <Button size="compact-sm" variant="default" onClick={() => takeTheirs(theirs)}>{words.takeTheirs}</Button>
            </Notice>
          )}
        </div>
        <Button loading={save.isPending} onClick={() => send(save.mutate)} data-testid="save-category">{text.requests.save}</Button>
      </Stack>
    </Sheet>
  )
}

interface TimeProps {
  label: string
  field: 'answer' | 'solve'
  value: Draft['answer']
  at: At
  onChange: (value: Draft['answer']) => void
}

/** So many working hours or days. */
function Time({ label, field, value, at, onChange }: TimeProps) {
  const { text, format } = useLanguage()
  const words = text.categories
  return (
    <div className={style.pair}>
      <TextInput {...at(field)} label={label} value={format.digits(value.amount)} inputMode="numeric" maxLength={4} data-testid={`${field}-amount`} onChange={(event) => onChange({ ...value, amount: event.currentTarget.value })} />
      <NativeSelect
        label={words.unitOf(label)} value={value.unit} data={(['hours', 'days'] as const).map((unit) => ({ value: unit, label: words.units[unit] }))} data-testid={`${field}-unit`}
        onChange={(event) => onChange({ ...value, unit: event.currentTarget.value as Unit })}
      />
    </div>
  )
}
